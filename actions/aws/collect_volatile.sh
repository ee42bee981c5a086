# What a running Linux host forgets, the most fleeting first (RFC 3227 section 2.1): connections,
# neighbours and routes, processes, open files, users, kernel modules, mounts, temporary files.
# Reads only, with the host's own tools, which whoever has the host may have changed. What it finds
# goes to standard output, and to file descriptor 3 one line for each section:
#   section=NAME state=acquired|partial|unsupported tool=TOOL
LC_ALL=C
export LC_ALL
within=''
command -v timeout >/dev/null 2>&1 && within='timeout 4'

# section NAME TOOL ARGUMENTS...: a tool that is not there, or fails, is told and not fatal.
section() {
  name=$1 tool=$2
  shift 2
  echo "=== $name: $tool $*"
  if ! command -v "$tool" >/dev/null 2>&1; then
    state=unsupported
  elif $within "$tool" "$@" 2>&1; then
    state=acquired
  else
    state=partial
  fi
  echo "section=$name state=$state tool=$tool" >&3
}

section clock date -u +%Y-%m-%dT%H:%M:%SZ
section connections ss -tuanp
section neighbours ip neigh show
section routes ip route show table all
section processes ps -eo pid,ppid,user,lstart,tty,stat,args -ww
section open_files lsof -nPw
section users who -a
section kernel_modules lsmod
section mounts findmnt -A -n -l
section temporary_files find /tmp /var/tmp /dev/shm -xdev -maxdepth 3 -ls
