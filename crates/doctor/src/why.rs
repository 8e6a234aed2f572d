//! Why a fact is absent.

use crate::facts::Facts;

impl Facts {
    /// Why a fact, named as in a rule (`firewall.verdict`), is absent, where its
    /// section tells.
    pub fn why(&self, fact: &str) -> Option<&str> {
        match fact {
            "firewall.verdict" | "firewall.reply" => {
                self.firewall.as_ref()?.undecided.first().map(String::as_str)
            }
            _ => None,
        }
    }
}
