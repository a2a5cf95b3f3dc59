import { decode } from 'fast-png'

/** Four bytes a pixel, row by row. */
export interface ViewPicture {
  width: number
  height: number
  data: ArrayLike<number>
}

/** How far apart two pictures of a view are. */
export interface Difference {
  /** Mean difference of a pixel's worst channel, 0 … 255. */
  mean: number
  /** Share of the pixels that a person could tell apart. */
  unlike: number
  /** Share of the first one's pixels that are not its ground: that two blank pictures are alike says nothing. */
  drawn: number
}

/** The pixels of a PNG file. */
export function pictureOfPng(png: Uint8Array): ViewPicture {
  const { width, height, channels, data } = decode(png)
  if (channels === 4) return { width, height, data }
  const four = new Uint8Array(width * height * 4).fill(255)
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++)
      four[i * 4 + channel] = data[i * channels + channel] as number
  }
  return { width, height, data: four }
}

/** Compares two pictures of one size. */
export function differenceOf(a: ViewPicture, b: ViewPicture): Difference {
  const pixels = a.width * a.height
  if (a.width !== b.width || a.height !== b.height) throw new Error('the pictures are of different sizes')
  const value = (picture: ViewPicture, i: number) => picture.data[i] as number
  let [sum, unlike, drawn] = [0, 0, 0]
  for (let i = 0; i < pixels; i++) {
    let [most, off] = [0, 0]
    for (let channel = 0; channel < 3; channel++) {
      most = Math.max(most, Math.abs(value(a, i * 4 + channel) - value(b, i * 4 + channel)))
      off = Math.max(off, Math.abs(value(a, i * 4 + channel) - value(a, channel)))
    }
    sum += most
    if (most > 24) unlike++
    if (off > 24) drawn++
  }
  return { mean: sum / pixels, unlike: unlike / pixels, drawn: drawn / pixels }
}

/** The colour of a pixel, as `#rrggbb`. */
export function pixelAt({ data, width }: ViewPicture, x: number, y: number): string {
  const at = (y * width + x) * 4
  return `#${[0, 1, 2].map(channel => (data[at + channel] as number).toString(16).padStart(2, '0')).join('')}`
}
