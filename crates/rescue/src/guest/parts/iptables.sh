# iptables' rules in its save format: v4 and v6 where they live in nftables, v4.legacy
# and v6.legacy where they do not. Comments and prefixes of logs stay here.
saved() {
	"$2" >"$work/$1" || return
	block "$1"
	sed -E -e '/^#/d' -e 's/^(:[^ ]+ [^ ]+) .*/\1/' \
		-e 's/ --(comment|log-prefix|nflog-prefix|string|hex-string) ("([^"\\]|\\.)*"|[^ ]+)/ --\1 hidden/g' \
		"$work/$1"
}
for family in 4 6; do
	case $family in 4) tool=iptables names=ip_tables_names ;; 6) tool=ip6tables names=ip6_tables_names ;; esac
	if has "$tool-nft-save"; then
		saved "v$family" "$tool-nft-save"
	elif has "$tool-save" && [ ! -s "/proc/net/$names" ]; then
		saved "v$family" "$tool-save"
	fi
	# Asking the legacy tool would load its kernel modules.
	if [ -s "/proc/net/$names" ]; then
		legacy=$tool-legacy-save
		has "$legacy" || legacy=$tool-save
		if has "$legacy"; then saved "v$family.legacy" "$legacy"; fi
	fi
done
if grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf; then block ufw; fi
