import { TokenscopeError } from './errors.ts'

/**
 * Reads the URL of a source.
 *
 * @param own where Tokenscope itself would listen: it has no feed that it could show to itself
 * @returns the URL as it is asked for, with user and password if it has them
 * @throws TokenscopeError CONFIG with one line that names what is wrong, without user and password
 */
export function parseSource(text: string, own: { host: string; port: number }): string {
  const refuse = (why: string) => {
    const message = `--source ${withoutCredentials(text)}${why}`
    return new TokenscopeError('CONFIG', message, { param: '--source' })
  }
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw refuse(': it must be an http(s) URL, as http://127.0.0.1:9000/events.')
  }
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const names = ['localhost', '127.0.0.1', '0.0.0.0', '[::1]', '[::]', own.host, `[${own.host}]`]
  if (own.port !== 0 && port === own.port && names.includes(url.hostname)) {
    throw refuse(' is where Tokenscope itself would listen. Change it or --port.')
  }
  return url.href
}

/** The text without the user and password of any URL in it. */
export function withoutCredentials(text: string): string {
  return text.replace(/(\/\/)[^\s"]*@/g, '$1')
}
