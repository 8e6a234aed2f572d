# Where the records of this step lie, below directories that only root can change.
place_of_records() {
	walk "/var/lib/regain/undo/$REGAIN_UNDO" keep || return 1
	while :; do
		[ "$land" = root ] || fail "${here:-/} can be changed by others than root" || return 1
		made=${rest%%/*}
		[ ! -d "./$made" ] || break
		case ${here#"$top"} in
		'' | /var) mkdir -m 755 "./$made" ;;
		*) mkdir -m 700 "./$made" ;;
		esac || fail 'no records can be written: nothing is changed' || return 1
		case $rest in
		*/*) cd -P "./$made" && here=$here/$made rest=${rest#*/} || return 1 ;;
		*) break ;;
		esac
	done
	dir=$here/$rest
}
if [ -n "${REGAIN_DRY:-}" ]; then
	dir=$(mktemp -d) || exit 1
else
	place_of_records || exit 1
	printf '%s' "$regain_library" >"$dir/undo.sh.new" && mv -f "$dir/undo.sh.new" "$dir/undo.sh" || exit 1
fi
temp=$dir/tmp
[ ! -e "$temp" ] || rm -rf "$temp"
mkdir "$temp" || exit 1
