/**
 * The one table of WebSocket close codes. 4000–4499 mean "come back", 4500–4999 "do not";
 * the rest are RFC 6455's own.
 */
export const CLOSE_CODES = {
  GOING_AWAY: { code: 1001, reason: 'server is stopping', comeBack: true },
  TOO_BIG: { code: 1009, reason: 'message over 64 KiB', comeBack: true },
  TOO_SLOW: { code: 4008, reason: 'no acknowledgement for 60 s', comeBack: true },
  PROTOCOL_ABUSE: { code: 4508, reason: 'ten malformed messages within a minute', comeBack: false },
} as const

/** Whether a client that was closed with `code` may connect again. */
export function mayComeBack(code: number): boolean {
  return code < 4500
}
