/** What some file system minds in a name, and what cannot be seen in one. */
const UNSAFE = /[<>:"/\\|?*\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/** Names that Windows keeps for devices. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/i
const MAX_LENGTH = 100

/**
 * The value of a `content-disposition` that has a file saved under a name (RFC 6266): in ASCII for everybody, and
 * as it is for those who can read that.
 *
 * @param name what a user has called it; null or what nothing is left of: `id` is its name
 * @param extension without its dot
 */
export function attachment(name: string | null, id: string, extension: string): string {
  const safe = safeName(name ?? '') || safeName(id.replace(/[^\w-]/g, '_')) || 'recording'
  const file = `${safe}.${extension}`
  const ascii = file.replace(/[^\x20-\x7e]|%/gu, '_')
  const plain = `attachment; filename="${ascii}"`
  return ascii === file ? plain : `${plain}; filename*=UTF-8''${percentEncoded(file)}`
}

function safeName(name: string): string {
  const cut = [...name.replace(UNSAFE, '_')].slice(0, MAX_LENGTH).join('')
  const bare = cut.replace(/^[\s.]+|[\s.]+$/g, '')
  return DEVICE.test(bare) ? `_${bare}` : bare
}

/** As RFC 8187 has it, which lets fewer characters stand than URLs do. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, at => `%${at.charCodeAt(0).toString(16).toUpperCase()}`)
}
