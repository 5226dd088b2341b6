import { holdsRuntimeContract, runtimes } from './contract.ts'

for (const runtime of runtimes) holdsRuntimeContract(runtime, 'without samples')
