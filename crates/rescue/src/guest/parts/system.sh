# The operating system, its clock, and the seconds since PID 1 started, which in a
# container is not since the kernel did.
block os
sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null | tr -d '"' | head -c 200
block uptime
awk 'NR == FNR { up = $1; next } { sub(/.*\) /, ""); print int(up - $20 / 100) }' \
	/proc/uptime /proc/1/stat
block now
date +%s
