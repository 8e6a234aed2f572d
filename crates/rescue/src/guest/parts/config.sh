# The files of sshd's configuration. Comments become blank lines, so that lines keep
# their numbers. Values stay where the keyword says what they are; a value that can be
# secret is `(hidden)`. Of a line whose keyword nobody knows the keyword stays if it
# looks like one, and a value only if it is one of the few that keywords take.
#
# Read are regular files that only root can change, 64 of them and 64 KiB of each.
tell='
	function value(    text) {
		text = $0
		sub(/^[ \t]*[^ \t="]+[ \t]*=?[ \t]*/, "", text)
		return text
	}
	BEGIN {
		n = split("AcceptEnv AddressFamily AllowAgentForwarding AllowGroups " \
			"AllowStreamLocalForwarding AllowTcpForwarding AllowUsers " \
			"AuthenticationMethods AuthorizedKeysCommandUser AuthorizedKeysFile " \
			"AuthorizedPrincipalsCommandUser AuthorizedPrincipalsFile Banner " \
			"CASignatureAlgorithms ChallengeResponseAuthentication ChannelTimeout " \
			"ChrootDirectory Ciphers ClientAliveCountMax ClientAliveInterval Compression " \
			"DenyGroups DenyUsers DisableForwarding ExposeAuthInfo FingerprintHash " \
			"GatewayPorts GSSAPIAuthentication GSSAPICleanupCredentials " \
			"GSSAPIKeyExchange GSSAPIStrictAcceptorCheck " \
			"HostbasedAcceptedAlgorithms HostbasedAcceptedKeyTypes " \
			"HostbasedAuthentication HostbasedUsesNameFromPacketOnly HostCertificate " \
			"HostKey HostKeyAgent HostKeyAlgorithms IgnoreRhosts IgnoreUserKnownHosts " \
			"Include IPQoS KbdInteractiveAuthentication KerberosAuthentication " \
			"KerberosGetAFSToken KerberosOrLocalPasswd KerberosTicketCleanup " \
			"KexAlgorithms KeyRegenerationInterval ListenAddress LoginGraceTime LogLevel " \
			"LogVerbose MACs Match MaxAuthTries MaxSessions MaxStartups ModuliFile " \
			"PAMServiceName PasswordAuthentication PermitEmptyPasswords PermitListen " \
			"PermitOpen PermitRootLogin PermitTTY PermitTunnel PermitUserEnvironment " \
			"PermitUserRC PerSourceMaxStartups PerSourceNetBlockSize PerSourcePenalties " \
			"PerSourcePenaltyExemptList PidFile Port PrintLastLog PrintMotd Protocol " \
			"PubkeyAcceptedAlgorithms PubkeyAcceptedKeyTypes PubkeyAuthOptions " \
			"PubkeyAuthentication RekeyLimit RefuseConnection RequiredRSASize " \
			"RevokedKeys RDomain RhostsRSAAuthentication RSAAuthentication " \
			"SecurityKeyProvider ServerKeyBits SshdAuthPath SshdSessionPath StreamLocalBindMask " \
			"StreamLocalBindUnlink StrictModes SyslogFacility TCPKeepAlive " \
			"TrustedUserCAKeys UnusedConnectionTimeout UseDNS UseLogin UsePAM " \
			"UsePrivilegeSeparation X11DisplayOffset X11Forwarding X11MaxDisplays " \
			"X11UseLocalhost XAuthLocation", names)
		for (i = 1; i <= n; i++) known[tolower(names[i])] = 1
	}
	/^[ \t]*(#|$)/ { print ""; next }
	{
		sub(/\r$/, " ")
		match($0, /^[ \t]*[^ \t="]+/)
		word = substr($0, RSTART, RLENGTH)
		gsub(/[ \t]/, "", word)
		key = tolower(word)
	}
	key == "include" {
		text = value()
		sub(/[ \t]#.*/, "", text)
		gsub(/"/, "", text)
		n = split(text, words)
		for (i = 1; i <= n; i++) print (words[i] ~ /^\// ? "" : "/etc/ssh/") words[i] >included
	}
	key in known {
		# A comment behind the value; inside of quotes it is none.
		if (match($0, /[ \t]#[^"]*$/)) $0 = substr($0, 1, RSTART)
		print
		next
	}
	key == "subsystem" {
		n = split(value(), words)
		print word, words[1], words[2] (n > 2 ? " (hidden)" : "")
		next
	}
	key ~ /^authorized(keys|principals)command$/ {
		n = split(value(), words)
		print word, (words[1] ~ /^(\/|none$)/ ? words[1] : "(hidden)") (n > 1 ? " (hidden)" : "")
		next
	}
	key ~ /^(setenv|forcecommand|versionaddendum)$/ {
		print word, (value() ~ /^none[ \t]*$/ ? "none" : "(hidden)")
		next
	}
	word !~ /^([Xx]11)?[A-Za-z]+$/ || length(word) > 31 { print "(hidden)"; next }
	value() ~ /^(yes|no|none|all|any|local|remote|[0-9]+|without-password|prohibit-password|forced-commands-only)?[ \t]*$/ {
		print word, value()
		next
	}
	{ print word, "(hidden)" }'
queue="/etc/ssh/sshd_config$newline/etc/ssh/sshd_config.d/*"
seen=$newline
count=0
IFS=$newline
while [ -n "$queue" ]; do
	pattern=${queue%%"$newline"*}
	case $queue in
	*"$newline"*) queue=${queue#*"$newline"} ;;
	*) queue= ;;
	esac
	for file in $pattern; do
		case $seen in *"$newline$file$newline"*) continue ;; esac
		seen="$seen$file$newline"
		[ -e "$file" ] || [ -L "$file" ] || continue
		count=$((count + 1))
		if [ $count -gt 64 ]; then
			block "skipped $file"
			echo 'there are more files than any configuration has'
			break 2
		elif ! territory "$file"; then
			block "skipped $file"
			echo "$why"
		elif [ "$(($(wc -c <"$real")))" -gt 65536 ]; then
			block "skipped $file"
			echo 'larger than any configuration'
		else
			block "file $file"
			: >"$work/included"
			awk "$tell" included="$work/included" "$real"
			if [ -s "$work/included" ]; then
				queue="$queue${queue:+$newline}$(cat "$work/included")"
			fi
		fi
	done
done
