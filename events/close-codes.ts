/**
 * The one table of WebSocket close codes. 4000–4499 mean "come back", 4500–4999 "do not";
 * the rest are RFC 6455's own. A reason is at most 123 bytes of UTF-8, the room of a close frame (§5.5).
 */
export const CLOSE_CODES = {
  GOING_AWAY: { code: 1001, reason: 'server is stopping', comeBack: true },
  TOO_BIG: { code: 1009, reason: 'message over 64 KiB', comeBack: true },
  TOKEN_EXPIRED: { code: 4001, reason: 'token has expired', comeBack: true },
  TOO_SLOW: { code: 4008, reason: 'no acknowledgement for 60 s', comeBack: true },
  TOO_MANY: { code: 4029, reason: 'too many viewers, or messages too fast', comeBack: true },
  UNAUTHORIZED: { code: 4501, reason: 'no token within 10 s, or a wrong one', comeBack: false },
  PROTOCOL_ABUSE: { code: 4508, reason: 'ten malformed messages within a minute', comeBack: false },
} as const

export type CloseName = keyof typeof CLOSE_CODES

/** Whether a client that was closed with `code` may connect again. */
export function mayComeBack(code: number): boolean {
  return code < 4500 || code > 4999
}
