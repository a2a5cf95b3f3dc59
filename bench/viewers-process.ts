/** The viewers of the broadcast bench, all in one process of its own. */
import type { Speech } from './broadcast/decoder.ts'
import { Load, type LoadShape } from './broadcast/load.ts'
import { Viewers, type ViewersRound } from './broadcast/viewers.ts'
import { answer } from './children.ts'

let all: Viewers | null = null

answer({
  speak({ speech, shape }: { speech: Speech; shape: LoadShape }) {
    all = new Viewers(speech, new Load(shape))
  },
  async connect({ url, viewers }: { url: string; viewers: number }) {
    await known().join(url, viewers)
  },
  stall(viewers: number) {
    known().stall(viewers)
  },
  begin(from: number) {
    known().begin(from)
  },
  end(tokens: number): Promise<ViewersRound> {
    return known().end(tokens)
  },
})

function known(): Viewers {
  if (all === null) throw new Error('nobody has said how the server speaks')
  return all
}
