# Edits of lines: each of them names the line's number and the first word that stood
# there when it was collected. A line that begins with another word now is another
# line: then nothing is changed.
#
#   change_lines FILE PLACES PROGRAM [VALUE]
#
# PLACES has a line for each: NUMBER WORD, and whatever PROGRAM wants after a tab. In
# PROGRAM (awk) `here` says whether this line is one of them, `rest` is what comes
# after the tab, `value` is VALUE; it prints every line.
change_lines() {
	open_file "$1" || return 1
	[ "$seen" = file ] || fail "$1 is not there" || return 1
	if PLACES=$2 VALUE=${4:-} awk '
		function first(line) {
			sub(/^[ \t]+/, "", line)
			sub(/[ \t\r=].*$/, "", line)
			return tolower(line)
		}
		# The keyword with what separates it from its value.
		function keyword(line) {
			match(line, /^[ \t]*[^ \t=]+[ \t]*=?[ \t]*/)
			return substr(line, 1, RLENGTH)
		}
		BEGIN {
			value = ENVIRON["VALUE"]
			count = split(ENVIRON["PLACES"], place, "\n")
			for (i = 1; i <= count; i++) {
				n = place[i] + 0
				text = place[i]
				sub(/^[0-9]+ /, "", text)
				tab = index(text, "\t")
				if (tab) {
					# Some awks make the element before they look for it.
					if (n in more) more[n] = more[n] "\n" substr(text, tab + 1)
					else more[n] = substr(text, tab + 1)
					text = substr(text, 1, tab - 1)
				}
				word[n] = tolower(text)
				last = n > last ? n : last
			}
		}
		{
			here = NR in word
			rest = here ? more[NR] : ""
			if (here && word[NR] != "*" && first($0) != word[NR]) { wrong = NR; exit }
		}
		'"$3"'
		END {
			if (!wrong && NR < last) wrong = last
			if (wrong) { print wrong >"/dev/stderr"; exit 3 }
		}' <"$temp/old" >"$temp/new" 2>"$temp/why"; then
		put_file
	else
		fail "line $(because) of $1 is not what it was: nothing is changed"
	fi
}
