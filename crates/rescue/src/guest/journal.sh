# The records of one step: what an edit is about to change is written down, and
# synced, before it acts. A step that fails brings everything back before it returns;
# one that is killed is brought back by its undo script (undo.sh).
#
#   say TEXT            tells the operator
#   fail TEXT           tells why, and is false
#   begin KIND PATH     begins a record in the directory $record
#   commit [later]      makes it count, at once or with the next one
#   on_undo COMMAND     run when this is undone, after the files are back
#   act WORDS...        runs a command; a dry run says it instead
#
# With REGAIN_DRY nothing is recorded and nothing changed: what would be is printed,
# files as unified diffs.
say() { printf 'say %s\n' "$*" >&3; }
fail() { say "$@" && return 1; }
would() { printf 'diff would: %s\n' "$*" >&3; }
[ -z "${REGAIN_DRY:-}" ] || dry=1
dry=${dry:-}

end() {
	status=$?
	trap - EXIT HUP INT TERM
	cd /
	unlock_accounts
	rm -rf "$temp"
	if [ "$status" -ne 0 ] && [ -z "$dry" ]; then
		echo rollback >&3
		regain_role=undo sh "$dir/undo.sh" >&3 || :
	fi
	[ -z "$dry" ] || rm -rf "$dir"
	exit "$status"
}
trap end EXIT
trap 'exit 143' HUP INT TERM

# An earlier try under the same name may have left records; they are older and truer.
number=100
for record in "$dir"/[0-9]*; do
	record=${record##*/}
	case $record in
	*[!0-9]*) ;;
	*) [ "$record" -le "$number" ] || number=$record ;;
	esac
done

begin() {
	number=$((number + 1))
	record=$dir/$number.new
	[ ! -e "$record" ] || rm -rf "$record"
	mkdir "$record" && printf '%s\n' "$1" >"$record/kind" && printf '%s\n' "$2" >"$record/path" ||
		fail 'the record of what is about to be changed cannot be written'
}

commit() {
	mv "$record" "$dir/$number" || return 1
	record=$dir/$number
	[ "${1:-}" != later ] || return 0
	# It must be on the disk before what it speaks of is changed.
	timeout 20 sync "$dir"/[0-9]*/* "$dir"/[0-9]* "$dir" 2>/dev/null || :
}

on_undo() {
	[ -z "$dry" ] || return 0
	begin run "$1" && commit
}

act() {
	if [ -n "$dry" ]; then
		would "$*"
	else
		"$@"
	fi
}

# What nobody can guess, for names.
random() {
	IFS=- read -r random_1 random_2 _ </proc/sys/kernel/random/uuid && echo "$random_1$random_2"
}

# differ PATH OLD NEW [FILTER]: what a dry run shows of a file, without any context:
# the lines beside those that change may hold what is nobody's business.
differ() {
	if command -v diff >/dev/null 2>&1; then
		diff -U 0 "$2" "$3" | sed '1,2d'
	else
		awk -v old="$2" '
			BEGIN { while ((getline line < old) > 0) was[++n] = line }
			{ now[++m] = $0 }
			END {
				while (a < n && a < m && was[a + 1] == now[a + 1]) a++
				while (z < n - a && z < m - a && was[n - z] == now[m - z]) z++
				if (a == n && a == m) exit
				old_at = n - z > a ? a + 1 : a
				new_at = m - z > a ? a + 1 : a
				printf "@@ -%d,%d +%d,%d @@\n", old_at, n - z - a, new_at, m - z - a
				for (i = a + 1; i <= n - z; i++) print "-" was[i]
				for (i = a + 1; i <= m - z; i++) print "+" now[i]
			}' "$3"
	fi >"$temp/diff"
	[ -s "$temp/diff" ] || return 0
	{
		printf 'diff --- %s\ndiff +++ %s\n' "$1" "$1"
		sed 's/^/diff /' "$temp/diff"
	} >&3
}
