# The operating system, its clock, and the seconds since PID 1 started, which in a
# container is not since the kernel did.
block os
while IFS== read -r name value; do
	if [ "$name" = PRETTY_NAME ]; then
		value=${value#\"}
		printf '%.200s\n' "${value%\"}"
	fi
done </etc/os-release
block uptime
awk 'NR == FNR { up = $1; next } { sub(/.*\) /, ""); print int(up - $20 / 100) }' \
	/proc/uptime /proc/1/stat
block now
date +%s
