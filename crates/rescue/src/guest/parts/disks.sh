# Local file systems that fill up: the root and those that are four fifths full; and
# those that are read-only although fstab does not ask for it. fstab itself, with its
# credentials, stays here. Images of read-only packages are always full.
full='NR > 1 && $1 !~ "^/dev/loop" {
	used = $5 + 0
	sub(/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +/, "")
	if ($0 == "/" || used >= 80) print used, $0
}'
block used
df -P -l | awk "$full"
block inodes
df -P -i -l | awk "$full"
block read-only
table=/dev/null
if [ -e /etc/fstab ] && territory /etc/fstab; then table=$real; fi
awk -v table="$table" '
	FILENAME == table { if ($1 !~ /^#/ && ("," $4 ",") ~ /,ro,/) wanted[$2] = 1; next }
	$3 ~ /^(ext[234]|xfs|btrfs|f2fs|overlay)$/ && ("," $4 ",") ~ /,ro,/ &&
		$2 !~ "^/(snap|run)/" && !($2 in wanted) { print $2 }' "$table" /proc/self/mounts
