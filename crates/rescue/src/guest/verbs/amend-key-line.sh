amend_key_line() { # USER FILE LINE KEY DROP ADD; lists are separated by line breaks
	open_keys "$1" "$2" || return 1
	if ! LINE=$3 KEY=$4 DROP=$5 ADD=$6 awk '
		BEGIN {
			line = ENVIRON["LINE"] + 0
			split(ENVIRON["KEY"], key, " ")
			n = split(ENVIRON["DROP"], names, "\n")
			for (i = 1; i <= n; i++) drop[tolower(names[i])]
			n = split(ENVIRON["ADD"], added, "\n")
			for (i = 1; i <= n; i++) add = add (add == "" ? "" : ",") added[i]
		}
		function keep(option, name) {
			name = tolower(option)
			sub(/=.*/, "", name)
			if (option != "" && !(name in drop)) kept = kept (kept == "" ? "" : ",") option
		}
		NR != line { print; next }
		{
			text = $0
			sub(/^[ \t]+/, "", text)
			split(text, word)
			kept = ""
			if (word[1] != key[1]) {
				option = ""
				quoted = 0
				for (i = 1; i <= length(text); i++) {
					c = substr(text, i, 1)
					if (c == "\\" && substr(text, i + 1, 1) == "\"") {
						option = option c "\""
						i++
						continue
					}
					if (c == "\"") quoted = !quoted
					if (!quoted && (c == " " || c == "\t")) break
					if (!quoted && c == ",") { keep(option); option = ""; continue }
					option = option c
				}
				keep(option)
				text = substr(text, i)
				sub(/^[ \t]+/, "", text)
				split(text, word)
			}
			if (word[1] != key[1] || word[2] != key[2]) exit
			done = 1
			if (add != "") kept = kept (kept == "" ? "" : ",") add
			print (kept == "" ? "" : kept " ") text
		}
		END { exit !done }' <"$temp/old" >"$temp/new"; then
		fail "line $3 of $2 does not hold that key: nothing is changed" || return 1
	fi
	put_keys || return 1
	[ -n "$dry" ] || say "changed the options of line $3 of $2"
}
