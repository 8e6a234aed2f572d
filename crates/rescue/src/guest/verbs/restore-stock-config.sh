restore_stock_config() {
	config=/etc/ssh/sshd_config
	for stock in "$config.ucf-old" "$config.dpkg-old" "$config.rpmsave" \
		/usr/share/openssh/sshd_config "$config.ucf-dist" "$config.dpkg-dist" "$config.rpmnew"; do
		open_file "$stock" 2>/dev/null 3>/dev/null || continue
		[ "$seen" = file ] && [ -s "$temp/old" ] || continue
		cp "$temp/old" "$temp/new"
		open_file "$config" || return 1
		[ "$seen" = absent ] || [ ! -s "$temp/old" ] || fail "$config is there" || return 1
		new_mode=644
		put_file || return 1
		[ -n "$dry" ] || say "restored $config from $stock"
		return 0
	done
	fail "the package left no $config: install openssh-server again"
}
