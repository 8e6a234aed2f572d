make_host_keys() { # PATH...
	for key in "$@"; do
		case ${key##*/} in
		*rsa*) type=rsa ;;
		*ecdsa*) type=ecdsa ;;
		*) type=ed25519 ;;
		esac
		if [ -n "$dry" ]; then
			would "ssh-keygen -t $type -N '' -f $key"
			continue
		fi
		open_file "$key" || return 1
		[ ! -s "$temp/old" ] || fail "$key is not empty" || return 1
		rm -f "$temp/key" "$temp/key.pub"
		ssh-keygen -q -t "$type" -N '' -f "$temp/key" </dev/null || return 1
		replace_by "$key" "$temp/key" 600 && replace_by "$key.pub" "$temp/key.pub" 644 || return 1
		say "made host key $key"
	done
}

# replace_by PATH NEW MODE: a file of its own, whatever was there.
replace_by() {
	at "$1" keep && look || return 1
	case $seen in
	file | link) take_file && look || return 1 ;;
	absent) ;;
	*) fail "$1 is not a file" || return 1 ;;
	esac
	cp "$2" "$temp/new" && new_mode=$3 && put_file
}

close_host_keys() { # PATH...
	for key in "$@"; do
		at "$key" && look || return 1
		[ "$seen" = file ] || fail "$key is not a file" || return 1
		set_mode 600 || return 1
	done
}
