# The way to the user's keys, and what the files of keys hold. A home is its user's
# territory: files there are read with the user's rights, as sshd does it, and root only
# looks at names (lstat). Of a line its number, the key's type and fingerprint and the
# names of its options are told; values only of from, expiry-time and principals.
@USER@
if [ -e "$work/nobody" ]; then block nobody; fi
[ -s "$work/user" ] || return 0
{
	read -r user_uid
	read -r user_gid
	read -r groups
	IFS= read -r user_home
} <"$work/user"
# `27(sudo),1000(ann)`
user_name=$LOGIN user_groups=$user_gid
IFS=,
for group in $groups; do user_groups=$user_groups,${group%%[!0-9]*}; done
home=${user_home%/}
set -f
IFS=' '
files=
while read -r keyword value; do
	if [ "$keyword" = authorizedkeysfile ]; then files="$files $value"; fi
done <"$work/settings.kept"
authorized=
# The usual place is looked at even where sshd looks elsewhere: a key that lies there
# tells a moved path from a lost key.
for file in ${files:-.ssh/authorized_keys .ssh/authorized_keys2} .ssh/authorized_keys; do
	[ "$file" = none ] && continue
	case $file in *%*)
		file=$(printf '%s\n' "$file" | HOME=$home UID_=$user_uid awk '{
			told = ""
			while (match($0, /%[%huU]/)) {
				token = substr($0, RSTART + 1, 1)
				told = told substr($0, 1, RSTART - 1)
				if (token == "h") told = told ENVIRON["HOME"]
				else if (token == "u") told = told ENVIRON["LOGIN"]
				else if (token == "U") told = told ENVIRON["UID_"]
				else told = told "%"
				$0 = substr($0, RSTART + 2)
			}
			print told $0
		}')
		;;
	esac
	case $file in /*) ;; *) file=$home/$file ;; esac
	case $newline$authorized in *"$newline$file$newline"*) continue ;; esac
	authorized="$authorized$file$newline"
done
IFS=$newline
paths=$newline
add() {
	ancestry "$1"
	for path in $above; do
		case $paths in *"$newline$path$newline"*) ;; *) paths=$paths$path$newline ;; esac
	done
}
for file in "$home" "$home/.ssh" $authorized; do add "$file"; done
look() { stat -c '%f %u %g %s %n' $paths >"$work/stat"; }
look
: >"$work/real"
: >"$work/links"
while IFS=' ' read -r mode _ _ _ path; do
	# a1ff: a symbolic link.
	case $mode in a*) printf '%s\n' "$path" "$(readlink "$path")" >>"$work/links" ;; esac
done <"$work/stat"
if [ -s "$work/links" ]; then
	# Where links lead is what the user sees there.
	as_user sh -c '
		for file; do
			real=$(readlink -f "$file") && [ "$real" != "$file" ] && printf "%s\n%s\n" "$file" "$real"
		done' sh "$home" $authorized >"$work/real"
	while IFS= read -r file && IFS= read -r real; do add "$real"; done <"$work/real"
	look
fi
block paths
printf '%s' "${paths#"$newline"}"
block stat
cat "$work/stat"
if [ -s "$work/links" ]; then
	block links
	cat "$work/links"
	block real
	cat "$work/real"
fi
lines='
	function wanted(name) { return name ~ /^(from|expiry-time|principals)$/ }
	# Options up to the first space outside of quotes; sets `options` and `rest`.
	function divide(text,    i, c, quoted, name, value, in_value) {
		options = ""; name = ""; value = ""; quoted = 0; in_value = 0
		for (i = 1; i <= length(text); i++) {
			c = substr(text, i, 1)
			if (quoted && c == "\\" && substr(text, i + 1, 1) == "\"") { value = value "\""; i++; continue }
			if (c == "\"") { quoted = !quoted; continue }
			if (!quoted && (c == "," || c == " " || c == "\t")) {
				option(name, value, in_value)
				name = ""; value = ""; in_value = 0
				if (c != ",") break
				continue
			}
			if (!quoted && c == "=" && !in_value) { in_value = 1; continue }
			if (in_value) value = value c; else name = name c
		}
		rest = substr(text, i + 1)
		sub(/^[ \t]+/, "", rest)
		return options != "" && rest != ""
	}
	function option(name, value, has_value) {
		name = tolower(name)
		if (name !~ /^([a-z-]+|(no-)?x11-forwarding)$/ || length(name) > 24) name = "(hidden)"
		if (has_value && wanted(name) && value ~ /^[A-Za-z0-9.:,*?!\/_@-]*$/)
			name = name "=" value
		options = options (options == "" ? "" : " ") name
	}
	function is_type(word) { return word ~ /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/ }
	function candidate(what, text) {
		split(text, words)
		print words[1], words[2], what >candidates
	}
	{ sub(/\r$/, ""); sub(/^[ \t]+/, "") }
	/^$/ || /^#/ { next }
	/-----BEGIN .*PRIVATE KEY-----/ { print "private", FNR; inside = !/-----END/; next }
	/^PuTTY-User-Key-File/ { print "private", FNR; inside = 1; putty = 1; next }
	inside { if (/-----END/ || (putty && /^Private-MAC/)) inside = putty = 0; next }
	{
		split($0, words)
		number = FNR
		options = ""
		if (is_type(words[1])) rest = $0
		else if (!divide($0)) rest = ""
		split(rest, words)
		if (is_type(words[1])) {
			print "line", number, words[1], options
			candidate("L" number, rest)
			begun = number
			joined = rest
			next
		}
		print "bad", number
		# A key that was broken: what stands on the next lines put to it, up to six.
		if (begun && number - begun < 7) {
			joined = joined $0
			candidate("W" begun, joined)
		}
	}'
# Sets `kind`: the file type in the mode of what a path leads to; empty if nothing is
# there.
kind_of() {
	looked=$1 kind=
	while IFS= read -r file_ && IFS= read -r real; do
		if [ "$file_" = "$1" ]; then looked=$real; fi
	done <"$work/real"
	while IFS=' ' read -r mode _ _ _ path; do
		if [ "$path" = "$looked" ]; then kind=${mode%???}; fi
	done <"$work/stat"
}
for file in $authorized; do
	kind_of "$file"
	case $kind in
	'') continue ;;
	8) ;;
	*)
		block "unread $file"
		case $kind in a) echo 'it is a link that leads nowhere' ;; *) echo 'it is not a regular file' ;; esac
		continue
		;;
	esac
	# Whatever stands there by now: the user's rights are all that it gets.
	if ! as_user sh -c '[ -f "$1" ] && exec head -c 65537 "$1"' sh "$file" \
		>"$work/authorized" 2>/dev/null; then
		block "unread $file"
		echo 'the user cannot read it'
		continue
	fi
	block "file $file"
	if [ "$(($(wc -c <"$work/authorized")))" -gt 65536 ]; then echo cut; fi
	: >"$work/candidates"
	awk -v candidates="$work/candidates" "$lines" "$work/authorized" >"$work/lines"
	: >"$work/prints"
	if has ssh-keygen; then
		[ -s "$work/candidates" ] && ssh-keygen -l -f "$work/candidates" >"$work/prints" 2>/dev/null
		keygen=1
	else
		keygen=
	fi
	awk -v keygen="$keygen" '
		NR == FNR && FILENAME ~ /prints$/ { print_of[$3] = $2; next }
		$1 == "line" && (("L" $2) in print_of || keygen == "") {
			mark = "L" $2
			$1 = "key"
			$3 = $3 " " (mark in print_of ? print_of[mark] : "-")
			print
			hidden = 0
			next
		}
		$1 == "private" { print; next }
		("W" $2) in print_of { print "wrapped", $2; hidden = $2; next }
		hidden && $2 - hidden < 6 { next }
		{ print "bad", $2 }' "$work/prints" "$work/lines"
done
