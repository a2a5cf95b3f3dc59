/**
 * The base URL for apps. The page's own origin is one that certainly works from this machine, whatever the
 * server calls itself.
 */
export function baseUrl(): string {
  return `${location.origin}/v1`
}
