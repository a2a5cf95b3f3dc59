/** Bytes of a request's body that are passed on at most; more is answered with 413. */
export const PASSED_BODY_BYTES = 64 * 1024 * 1024

/** What a socket holds in this process before its sender is told to wait. */
export const SOCKET_BUFFER_BYTES = 16 * 1024
