# Runs one script in the guest and hands back all of what it said, although the
# channel may carry only a few kilobytes at a time and reports success whatever
# happens. The answer is packed and its first piece printed; if there is more, it is
# written to a file and fetched piece by piece (piece.sh).
#
# The words between at signs are filled in before it is sent.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 077
dir=${REGAIN_ROOT:-}/run/regain/@JOB@
# A guest whose /run cannot be written still has to be able to say so.
mkdir -p "$dir" 2>/dev/null || dir=$(mktemp -d) || exit 1
# Some shells keep here-documents in TMPDIR, and the root disk may be full.
TMPDIR=$dir
export TMPDIR
# A file, so that a script with a syntax error is an exit status like any other,
# and so that no value of it shows up in a process's arguments.
cat >"$dir/script" <<'@END@'
@SCRIPT@
@END@
limit=
if command -v timeout >/dev/null 2>&1; then limit='timeout -k 5 @SECONDS@'; fi
status=0
$limit sh "$dir/script" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
pack=cat
if command -v gzip >/dev/null 2>&1; then pack='gzip -c'; fi
answer=$({
	echo "$status $(($(wc -c <"$dir/out")))"
	cat "$dir/out" "$dir/err"
} | $pack | base64 | tr -d '\n')
size=${#answer}
echo "regain-frame $pack $size $dir"
if [ "$size" -le @PIECE@ ]; then
	echo "$answer"
else
	echo "$answer" | tr -d '\n' >"$dir/answer"
	head -c @PIECE@ "$dir/answer"
	echo
fi
echo regain-end
# Nothing stays, whatever becomes of the rest of this exchange: neither the answer nor
# what Azure's handler keeps of this script, which it has reported by then.
kept=
case $0 in
/var/lib/waagent/*/download/*/*) kept=${0%/*} ;;
esac
if [ "$size" -le @PIECE@ ]; then
	rm -rf "$dir"
	dir=
fi
if [ -n "$dir$kept" ]; then
	(
		trap '' HUP
		sleep 600
		rm -rf ${dir:+"$dir"} ${kept:+"$kept"}
	) >/dev/null 2>&1 </dev/null &
fi
