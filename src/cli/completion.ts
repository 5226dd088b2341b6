import { Argument, type Command } from 'commander'
import { bashScript } from './completion/bash.ts'
import { describe } from './completion/describe.ts'
import { fishScript } from './completion/fish.ts'
import { zshScript } from './completion/zsh.ts'
import { printLines } from './printing.ts'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .summary('print what lets your shell complete commands, flags and values')
    .description(
      'Prints a script for bash, zsh or fish, which completes commands, flags, files, events and other values.\n' +
        'It holds all that it completes, and starts no program while you type.',
    )
    .addHelpText('after', examples)
    .action(async (shell: keyof typeof scripts) => {
      await printLines([scripts[shell](describe(program))])
    })
}

const examples = `
To have it in every shell, once hookserver is in your PATH:
  bash    echo 'source <(hookserver completion bash)' >> ~/.bashrc
  zsh     echo 'source <(hookserver completion zsh)' >> ~/.zshrc        below compinit
  fish    hookserver completion fish > ~/.config/fish/completions/hookserver.fish

The file of fish is to be made anew after an upgrade.`
