/**
 * The model server of the bench, in a process of its own: the demo as LM Studio, with the time of its write
 * in place of each token's text.
 */
import { createDemoServer } from '../bridge/demo/index.ts'
import { answer } from './children.ts'
import { stampedText } from './stamp.ts'

const server = createDemoServer({ kind: 'lmstudio', tokenText: stampedText })

answer({
  async listen() {
    return (await server.start()).url
  },
})
