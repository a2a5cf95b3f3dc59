const KIB = 1024

/** The numbers of the protocol that rule a viewer. */
export const LIMITS = {
  /** Never more than this unacknowledged, snapshots aside. */
  unackedBytes: 256 * KIB,
  /** Answers about layouts leave the rest of that to entries. */
  answerBytes: 128 * KIB,
  /** After so much a frame takes a ping along; so every full one does, and there are never 64 KiB without. */
  pingBytes: 48 * KIB,
  /** Bytes of entries in one frame at most: with their headers, four of them fit the window. */
  frameBytes: 64 * KIB - 32,
  /** Left alone while the socket holds more than this. */
  highWaterBytes: 64 * KIB,
  /** Further behind than this: a gap and a snapshot. */
  lagBytes: 4 * KIB * KIB,
  lagMs: 10_000,
  /** Something outstanding, be it a ping alone, and no pong for this long: closed. */
  silentMs: 60_000,
  /** With so many pings unanswered no more of them helps: clients of ws that wake to over 60 cut themselves off. */
  unansweredPings: 50,
  /** Replies that may wait in the socket before its questions do. */
  replyBytes: 256 * KIB,
  /** Text in one part of a snapshot. */
  snapshotPartChars: 64 * KIB,
  /** Further behind than this is told as `behind`. */
  behindEntries: 100,
}
