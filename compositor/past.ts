/** What was recorded and is not, or no longer, in the log: the compositor lays it out first. */
export interface Past {
  /**
   * Opens what is recorded by now: as it is at this moment, whatever comes later.
   *
   * @param maxTokens the newest generations with so many tokens in all, at least one if there is any
   */
  open(maxTokens: number): Promise<PastReading>
}

/** One reading of it, from its beginning to its end. */
export interface PastReading {
  /** Of the log as it is now, all entries up to this seq are in it, if they were not left out as too old; 0 where none is. */
  readonly seq: number
  /** Tokens in all. */
  readonly tokens: number
  /**
   * The next messages of `tokenscope.bin.v1`, one behind the other, some 256 KiB: generation by generation in the
   * order in which they began, and each one's definition before its entries. Their seqs say nothing. Null at the end.
   */
  next(): Promise<Uint8Array | null>
  /** Lets go of it, at its end or before. */
  close(): void
}
