/** Which part of a layout is summed by cell, and which of its tokens count. */
import type { ColorName, LayoutName } from '../../broadcast/protocol/view.ts'
import type { TokenPage } from '../tokens/token-page.ts'

/** A part of a layout, and which tokens count in it. */
export interface TilesRequest {
  layout: LayoutName
  color: ColorName
  /** A cell is 2^z units wide and high, z from 0 to 31; on `timeline` 2^z ms wide and a lane high. */
  z: number
  /** Column and row of the left upper cell; may be negative, where there is nothing. */
  left: number
  top: number
  /** Columns and rows. */
  width: number
  height: number
  /** The time of the last token that counts, in ms since the origin; 0xffffffff: all. */
  t: number
  /** The time of the first token that counts, the same. */
  since: number
  /** Kinds that count: bit 0 message, 1 reasoning, 2 tool call. */
  kinds: number
  /** GENERATION_WORDS a generation, by slot; see channels.ts. */
  generations: Uint32Array
  /** Numbers of the panels of `flow`, generation after generation. */
  panels: Uint32Array
  /** Side of a panel, in units; even. */
  panelSide: number
}

/** What is read of a page. */
export type TilesPage = Pick<TokenPage, 'number' | 'records' | 'chunks' | 'flow'>

/** `TilesRequest.t` and `kinds` that let everything count. */
export const NO_TIME = 0xffff_ffff
export const ALL_KINDS = 7
