# Listening sockets: address and port, and the program's name where ss tells it.
if has ss; then
	block ss
	ss -H -l -t -n -p | awk '{
		program = ""
		if (match($0, /\(\("[^"]*"/)) program = substr($0, RSTART + 3, RLENGTH - 4)
		print $4, program
	}'
else
	block proc
	awk '$4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6
fi
