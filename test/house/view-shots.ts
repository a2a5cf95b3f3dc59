/** The pictures of docs/screenshots that Tokenscope draws itself: each layout near, from a server, and far. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encode } from 'fast-png'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import { FrameArtist } from '../../compositor/frame/frame.ts'
import type { FrameQuestion } from '../../compositor/frame/frame-question.ts'
import { Composition } from '../../compositor/view/composition.ts'
import { startScope } from '../support/scope.ts'
import { sessionEntries } from '../support/session-entries.ts'
import { pictureOfPng } from '../support/view-pictures.ts'

/** The most that a picture may weigh, in bytes. */
const HEAVIEST = 400_000
/** From one answer's beginning to the next one's, in milliseconds. */
const APART_MS = 95
/** The part of the timeline that is shown begins so long after the first of the answers side by side. */
const SHOWN_FROM_MS = 1300

const SUBJECTS = [
  'What is an oscilloscope?',
  'What does a map leave out?',
  'Tell me about rivers.',
  'How do streams work?',
  'What is probability?',
  'What is music made of?',
]

/** Long answers, for what is read. The third is by a server that gives no log-probabilities. */
const LONG = [
  { subject: 0, demo: 'tokens=740,rate=220', logprobs: true },
  { subject: 1, demo: 'tokens=500,rate=220', logprobs: true },
  { subject: 2, demo: 'tokens=240,rate=120', logprobs: false },
  { subject: 3, demo: 'tokens=640,rate=220', logprobs: true },
]

/** Answers side by side: two stall, one has no log-probabilities. */
const SIDE_BY_SIDE = Array.from({ length: 10 }, (_, i) => {
  const stall = i === 4 ? ',silence=520ms@30' : i === 9 ? ',silence=360ms@16' : ''
  return { subject: i % 6, demo: `tokens=70,rate=${16 + ((i * 5) % 13)}${stall}`, logprobs: i !== 6 }
})

/** A far picture is of a log as long as this. */
const SESSION = { seconds: 900, tokens: 240_000, seed: 4 }
const FRAME: FrameQuestion = {
  layout: 'map',
  color: 'confidence',
  x: null,
  y: null,
  zoom: null,
  zoom_y: null,
  w: 1600,
  h: 900,
  t: null,
  filter: null,
  theme: 'dark',
  scale: 'cividis',
}
const FAR: Partial<FrameQuestion>[] = [
  { layout: 'map' },
  { layout: 'flow', theme: 'light' },
  { layout: 'timeline', color: 'model' },
]

type Answer = (typeof LONG)[number]

/** Draws them into a folder. */
export async function takeViews(folder: string): Promise<void> {
  await takeNear(folder)
  await takeFar(folder)
}

async function takeNear(folder: string): Promise<void> {
  const scope = await startScope()
  try {
    const long: Response[] = []
    for (const [seed, answer] of LONG.entries()) long.push(await ask(scope.url, answer, seed))
    const begun = performance.now()
    for (const response of long) await response.text()
    const shownFrom = performance.now() - begun + SHOWN_FROM_MS
    const sideBySide = SIDE_BY_SIDE.map(async (answer, i) => {
      await new Promise(resolve => setTimeout(resolve, i * APART_MS))
      await (await ask(scope.url, answer, i + 7)).text()
    })
    await Promise.all(sideBySide)
    for (const query of [
      'layout=map&x=-4&y=-0.7&zoom=40',
      'layout=flow&x=-12&y=-4.5&zoom=8',
      `layout=timeline&x=${shownFrom}&y=-12&zoom=0.9&zoom_y=3.1`,
    ]) {
      const response = await fetch(`${scope.url}/scope/v1/frame.png?${query}`)
      if (!response.ok) throw new Error(`no picture: ${await response.text()}`)
      const name = new URLSearchParams(query).get('layout') as string
      await save(folder, name, new Uint8Array(await response.arrayBuffer()))
    }
  } finally {
    await scope.stop()
  }
}

async function takeFar(folder: string): Promise<void> {
  const entries = sessionEntries(SESSION)
  const composition = new Composition({ engine: new CpuEngine(), maxPages: 4 })
  const artist = new FrameArtist(null)
  await composition.append(entries, entries.length)
  for (const more of FAR) {
    const question = { ...FRAME, ...more }
    const png = await artist.draw(question, asked => composition.view(asked))
    await save(folder, `${question.layout}-far`, png)
  }
  await artist.destroy()
  await composition.stop()
}

async function save(folder: string, name: string, drawn: Uint8Array): Promise<void> {
  const png = packed(drawn)
  if (png.length > HEAVIEST) throw new Error(`${name}.png is too large: ${png.length} bytes`)
  await writeFile(join(folder, `${name}.png`), png)
  console.log(`docs/screenshots/${name}.png`)
}

/** The same picture in fewer bytes: all of it is opaque, and time does not matter here. */
function packed(png: Uint8Array): Uint8Array {
  const { width, height, data } = pictureOfPng(png)
  const opaque = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    return data[Math.floor(i / 3) * 4 + (i % 3)] as number
  })
  return encode({ width, height, data: opaque, channels: 3 }, { zlib: { level: 9 } })
}

function ask(url: string, { subject, demo, logprobs }: Answer, seed: number): Promise<Response> {
  const probabilities = logprobs ? { logprobs: true, top_logprobs: 5 } : {}
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-demo': demo },
    body: JSON.stringify({
      model: 'tokenscope-demo',
      messages: [{ role: 'user', content: SUBJECTS[subject] }],
      stream: true,
      seed,
      temperature: 1.1,
      max_tokens: 1000,
      ...probabilities,
    }),
  })
}
