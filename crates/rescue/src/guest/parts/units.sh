# Units of the SSH server, and of programs that own packet filter rules: name, load
# state, active state, sub state, result, unit file state.
if has systemctl; then
	block units
	systemctl show -p Id -p LoadState -p ActiveState -p SubState -p Result \
		-p UnitFileState ssh.service sshd.service ssh.socket sshd.socket \
		firewalld.service fail2ban.service sshguard.service |
		awk -F= '
		function told() {
			if (is["Id"] != "" && is["LoadState"] != "not-found")
				print is["Id"] "|" is["LoadState"] "|" is["ActiveState"] "|" is["SubState"] \
					"|" is["Result"] "|" is["UnitFileState"]
			split("", is)
		}
		/^$/ { told(); next }
		{ is[$1] = $2; seen = 1 }
		END { told(); if (seen) print "." }'
else
	block none
fi
