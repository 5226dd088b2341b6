import { Controller, Get, Injectable, Module } from '@nestjs/common'

@Injectable()
export class CommitCounter {
  describe(commits: readonly unknown[]): string {
    return `${commits.length} commits`
  }
}

@Controller()
class AppController {
  @Get()
  hello(): string {
    return 'hello'
  }
}

@Module({ controllers: [AppController], providers: [CommitCounter] })
export class AppModule {}
