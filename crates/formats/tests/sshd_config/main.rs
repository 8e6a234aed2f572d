//! sshd's configuration: which files are read, what they come to, and the same
//! asked of the real sshd.

mod differential;
mod reading;
mod resolving;

use std::collections::BTreeMap;

fn files(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}
