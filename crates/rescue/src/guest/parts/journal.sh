# sshd's journal in this boot, and what systemd says of its unit: messages of known
# shapes. People type passwords where a name belongs, so every name but the login's own
# is `(another user)`. Of messages that say the same the last one stays.
limit=400
if has journalctl; then
	journalctl -b -q --no-pager -o cat -n $limit \
		_UID=0 SYSLOG_IDENTIFIER=sshd + _UID=0 SYSLOG_IDENTIFIER=sshd-session + \
		_PID=1 UNIT=ssh.service + _PID=1 UNIT=sshd.service
else
	for log in /var/log/auth.log /var/log/secure /var/log/messages; do
		if territory "$log"; then
			tail -n 4000 "$real" |
				sed -n 's/^.\{0,80\} sshd[a-z-]*\(\[[0-9]*\]\)\{0,1\}: //p' | tail -n $limit
			break
		fi
	done
fi >"$work/journal.raw"
lines=$(($(wc -l <"$work/journal.raw")))
if [ $lines -lt $limit ]; then block journal whole; else block journal end; fi
awk '
	BEGIN { login = ENVIRON["LOGIN"] }
	function show(text) { line[++lines] = text; last_of[text] = lines }
	# HEAD NAME ADDRESS port N TAIL: the name can hold anything, the last address counts.
	function person(head, between,    rest, at, name, address, tail) {
		rest = substr(body, length(head) + 1)
		at = 0
		while (match(substr(rest, at + 1), between "[0-9a-fA-F.:]+ port [0-9]+")) {
			last = at + RSTART
			size = RLENGTH
			at = last
		}
		if (!at) return
		name = substr(rest, 1, last - 1)
		address = substr(rest, last, size)
		sub(/ port [0-9]+$/, "", address)
		tail = substr(rest, last + size)
		if (tail !~ /^( ssh2)?(: [A-Z0-9-]+ SHA256:[A-Za-z0-9+\/]+)?(: Too many authentication failures)?( \[preauth\])?$/)
			tail = ""
		show(lead head (name == login ? name : "(another user)") address tail)
	}
	{
		body = $0
		lead = ""
		if (match(body, /^(error|fatal): /)) {
			lead = substr(body, 1, RLENGTH)
			body = substr(body, RLENGTH + 1)
		}
	}
	match(body, /^(Accepted|Failed|Postponed) [a-z\/-]+ for (invalid user )?/) ||
	match(body, /^maximum authentication attempts exceeded for (invalid user )?/) ||
	match(body, /^Invalid user /) {
		person(substr(body, 1, RLENGTH), " from ")
		next
	}
	match(body, /^(Connection (closed|reset) by|Disconnected from|Disconnecting|Received disconnect from)( authenticating| invalid)? user /) {
		person(substr(body, 1, RLENGTH), " ")
		next
	}
	# Of these only what is about the login itself.
	index(body, "User " login " ") == 1 || index(body, "User \047" login "\047 ") == 1 ||
	index(body, "Could not open user \047" login "\047 ") == 1 ||
	index(body, "Access denied for user " login " ") == 1 ||
	(body ~ /^pam_[a-z_]+\(sshd:[a-z]+\): / && (index(body, " account " login " has expired") ||
		index(body, " for user " login " ") || index(body, " for user " login "("))) ||
	(body ~ /^\/[^ ]+:[0-9]+: Authentication tried for / &&
		index(body, " Authentication tried for " login " ")) { show(lead substr(body, 1, 300)); next }
	match(body, /^(Connection (closed|reset) by|Connection from|Disconnected from|Received disconnect from|refused connect from|Timeout before authentication for) [0-9a-fA-F.:]+/) {
		show(lead substr(body, 1, RLENGTH) (body ~ / \[preauth\]$/ ? " [preauth]" : ""))
		next
	}
	match(body, /^(banner exchange: Connection from [0-9a-fA-F.:]+) port [0-9]+: (invalid format|could not read protocol version)/) ||
	match(body, /^Unable to negotiate with [0-9a-fA-F.:]+ port [0-9]+: no matching [A-Za-z ]+ found\. Their offer: [A-Za-z0-9@.,_+-]+/) ||
	match(body, /^drop connection #[0-9]+ from [^ ]+ on [^ ]+ ([a-z ]*MaxStartups|penalty)/) {
		text = substr(body, 1, RLENGTH)
		gsub(/ port [0-9]+/, "", text)
		gsub(/\]:[0-9]+/, "]", text)
		show(lead text)
		next
	}
	body ~ /^Server listening on [0-9a-fA-F.:]+ port [0-9]+\.$/ ||
	body ~ /^Received (signal [0-9]+; terminating\.|SIGHUP; restarting\.)$/ ||
	body ~ /^(beginning|exited) MaxStartups throttling/ ||
	body ~ /^(Bind to port [0-9]+ on [^ ]+ failed|Cannot bind any address)[A-Za-z:. ]*$/ ||
	body ~ /^Authentication refused: bad ownership or modes for (file|directory) \/[^ ]*$/ ||
	body ~ /^Refused by key options/ ||
	body ~ /^(sshd: )?no hostkeys available/ ||
	body ~ /^(Unable to load host key|Could not load host key|main: Host key|Could not stat AuthorizedKeysCommand|Missing privilege separation directory):? "?\/[^ "]*"?(: [A-Za-z ]+)?$/ ||
	body ~ /^Privilege separation user [a-z_-]+ does not exist$/ ||
	body ~ /^AuthorizedKeysCommand set without AuthorizedKeysCommandUser$/ ||
	body ~ /^Permissions [0-7]+ for \047\/[^ ]*\047 are too open\.$/ ||
	body ~ /^PAM(:| unable to dlopen\(| adding faulty module:| error reading| pam_start:| _pam_init_handlers:)[A-Za-z0-9_.,:()\/ ]*$/ ||
	body ~ /^\/etc\/ssh\/[^ ]+: terminating, [0-9]+ bad configuration options$/ ||
	body ~ /^(Starting|Started|Stopping|Stopped|Reloading|Reloaded|Failed to start|Listening on|Closed) [A-Za-z0-9@:._ -]+$/ ||
	body ~ /^sshd?\.(service|socket): [A-Za-z0-9 ,.=\/\047"()_-]+$/ { show(lead substr(body, 1, 300)); next }
	END { for (i = 1; i <= lines; i++) if (last_of[line[i]] == i) print line[i] }
' "$work/journal.raw" | tail -n 60
