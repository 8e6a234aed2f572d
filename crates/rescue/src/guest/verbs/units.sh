is_unit() {
	case $1 in
	*[!A-Za-z0-9@._:-]* | .* | '') fail "$1 is no name of a unit" || return 1 ;;
	esac
}

# Of a mounted root no manager runs.
reload_units() {
	[ -z "${REGAIN_ROOT:-}" ] || return 0
	act systemctl daemon-reload
}

unmask_unit() { # UNIT
	is_unit "$1" || return 1
	unmasked=
	for link in "/etc/systemd/system/$1" "/run/systemd/system/$1"; do
		at "$link" keep && look || return 1
		[ "$seen" = link ] && [ "$(readlink "./$rest")" = /dev/null ] || continue
		take_file || return 1
		unmasked=1
	done
	[ -n "$unmasked" ] || fail "$1 is not masked" || return 1
	if [ -z "${REGAIN_ROOT:-}" ]; then
		on_undo "systemctl stop $1 2>/dev/null || true; systemctl daemon-reload" || return 1
	fi
	reload_units || return 1
	[ -n "$dry" ] || say "unmasked $1"
}

# The link that `systemctl enable` makes, without the init.d links that come with it.
enable_unit() { # UNIT
	is_unit "$1" || return 1
	for unit_dir in /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
		open_file "$unit_dir/$1" 3>/dev/null && [ "$seen" = file ] && break
		unit_dir=
	done
	[ -n "$unit_dir" ] || fail "there is no unit $1" || return 1
	unit_file=$(path_here)
	wanted_by=$(sed -n 's/^WantedBy=[ \t]*//p' "$temp/old" | head -n 1)
	wanted_by=${wanted_by%% *}
	is_unit "${wanted_by:=multi-user.target}" || return 1
	at "/etc/systemd/system/$wanted_by.wants" && look || return 1
	if [ "$seen" = absent ]; then make_directory || return 1; fi
	if [ -n "$dry" ]; then
		would "ln -s $unit_file /etc/systemd/system/$wanted_by.wants/$1"
		return
	fi
	at "/etc/systemd/system/$wanted_by.wants/$1" keep && look || return 1
	case $seen in
	link) return 0 ;;
	absent) ;;
	*) fail "$(path_here) is in the way" || return 1 ;;
	esac
	begin_file "link $unit_file" && ln -s "$unit_file" "./$rest" || return 1
	if [ -z "${REGAIN_ROOT:-}" ]; then
		on_undo 'systemctl daemon-reload' || return 1
	fi
	reload_units || return 1
	say "$1 starts at boot"
}

add_socket_port() { # SOCKET PORT
	is_unit "$1" || return 1
	at "/etc/systemd/system/$1.d" && look || return 1
	if [ "$seen" = absent ]; then make_directory || return 1; fi
	printf '[Socket]\nListenStream=%s\n' "$2" >"$temp/new"
	if [ -n "$dry" ] && [ "$seen" = absent ]; then
		: >"$temp/old"
		differ "/etc/systemd/system/$1.d/zz-regain.conf" "$temp/old" "$temp/new"
	else
		open_file "/etc/systemd/system/$1.d/zz-regain.conf" || return 1
		if [ -s "$temp/old" ]; then
			{
				cat "$temp/old"
				printf 'ListenStream=%s\n' "$2"
			} >"$temp/new"
		fi
		new_mode=644
		put_file || return 1
	fi
	[ -z "${REGAIN_ROOT:-}" ] || return 0
	# A socket does not start while its service runs; sessions outlive the service.
	service=${1%.socket}.service
	on_undo "systemctl daemon-reload; systemctl stop $service; systemctl restart $1" || return 1
	act systemctl daemon-reload && act systemctl stop "$service" && act systemctl restart "$1"
}
