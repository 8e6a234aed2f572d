//! The sockets that listen on a port.

use std::fs::File;
use std::io::{BufRead, BufReader};

/// The kernel's tables of TCP sockets. They are asked instead of the port: a firewall may
/// well drop what the VM sends to itself.
pub(super) const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// Bytes of a line of the first table. Read so, the kernel looks for the next socket only
/// when it is asked for: behind the listening ones, which come first, it goes through
/// every bucket of the connections, a millisecond and a half of them.
const LINE: usize = 150;

/// The inode numbers of a table's sockets that listen on `port`.
pub(super) fn listeners(table: &str, port: u16) -> impl Iterator<Item = u64> {
    let lines = File::open(table)
        .map(|file| BufReader::with_capacity(LINE, file).lines().map_while(Result::ok));
    lines.into_iter().flatten().filter_map(move |line| inode(&line, port))
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...`,
/// addresses and state in hexadecimal; 0A is LISTEN.
fn inode(line: &str, port: u16) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, local) = fields.get(1)?.rsplit_once(':')?;
    let listens = *fields.get(3)? == "0A" && local == format!("{port:04X}");
    listens.then(|| fields.get(9)?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_on_the_port_count() {
        let line = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 \
                    00000000     0        0 4711 1 0000000000000000 100 0 0 10 0";
        assert_eq!(inode(line, 22), Some(4711));
        assert_eq!(inode(line, 2222), None);
        assert_eq!(inode(&line.replace(" 0A ", " 01 "), 22), None);
        assert_eq!(inode("  sl  local_address rem_address   st tx_queue", 22), None);
    }

    #[test]
    fn a_socket_is_found_while_it_listens() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        assert_eq!(listeners(TABLES[0], port).count(), 1);
        assert_eq!(listeners(TABLES[1], port).count(), 0);
        drop(socket);
        assert_eq!(listeners(TABLES[0], port).count(), 0);
    }
}
