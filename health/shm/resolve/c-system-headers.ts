/**
 * Whether a header is one of the C library, of C++ in C's name, of POSIX, Linux or Windows: a tree that has one of
 * that name seldom means it.
 */
export function isSystemHeader(path: string): boolean {
  if (HEADERS.has(path)) return true
  const slash = path.indexOf('/')
  return slash > 0 && FOLDERS.has(path.slice(0, slash))
}

const FOLDERS = new Set(['sys', 'netinet', 'arpa', 'net', 'linux', 'asm', 'bits', 'mach', 'machine'])

const HEADERS = new Set(
  `
assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h setjmp.h signal.h
stdalign.h stdarg.h stdatomic.h stdbit.h stdbool.h stdckdint.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h
string.h tgmath.h threads.h time.h uchar.h wchar.h wctype.h
aio.h alloca.h argz.h byteswap.h cpio.h crypt.h dirent.h dlfcn.h elf.h endian.h envz.h err.h error.h execinfo.h
fcntl.h features.h fmtmsg.h fnmatch.h ftw.h getopt.h glob.h grp.h iconv.h ifaddrs.h io.h langinfo.h libgen.h libintl.h
link.h malloc.h memory.h mntent.h monetary.h mqueue.h ndbm.h netdb.h nl_types.h paths.h poll.h process.h pthread.h
pty.h pwd.h regex.h resolv.h sched.h search.h semaphore.h shadow.h spawn.h strings.h stropts.h sysexits.h syslog.h
tar.h termio.h termios.h trace.h ucontext.h ulimit.h unistd.h utime.h utmp.h utmpx.h values.h wait.h wordexp.h
direct.h dbghelp.h psapi.h shellapi.h shlobj.h shlwapi.h tchar.h tlhelp32.h windows.h windowsx.h winerror.h winsock.h
winsock2.h ws2tcpip.h wincrypt.h
emmintrin.h immintrin.h intrin.h nmmintrin.h pmmintrin.h smmintrin.h tmmintrin.h wmmintrin.h xmmintrin.h arm_neon.h
`
    .trim()
    .split(/\s+/),
)
