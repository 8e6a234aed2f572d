//! An edit as calls of its verb's function.
//!
//! Lines of one file are one call, so that the file changes once, and a dry run shows
//! it once.

use doctor::{Edit, FilterRule, Insertion, Line};
use thiserror::Error;

use super::quote;

/// An argument that cannot be carried out as it is.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{verb}` cannot take {argument:?}: {why}")]
pub struct Unfit {
    verb: &'static str,
    argument: String,
    why: &'static str,
}

/// The calls that carry out `edit`.
pub(super) fn of(edit: &Edit) -> Result<Vec<String>, Unfit> {
    let verb = edit.verb();
    let check = Check { verb };
    Ok(match edit {
        Edit::AuthorizeKey { user, file, key } => {
            let args = [check.name(user)?, check.path(file)?, check.key(key)?];
            vec![words("authorize_key", args)]
        }
        Edit::AmendKeyLine { user, file, line, key, drop, add } => {
            let drop = check.list(drop)?;
            let add = check.list(add)?;
            let (user, file) = (check.name(user)?, check.path(file)?);
            let args = [user, file, line.to_string(), check.key(key)?, drop, add];
            vec![words("amend_key_line", args)]
        }
        Edit::MakeHome { user, home } => {
            vec![words("make_home", [check.name(user)?, check.path(home)?])]
        }
        Edit::TakeWriteAccess { user, paths } => {
            vec![check.user_and_paths("take_write_access", user, paths)?]
        }
        Edit::GiveBack { user, paths } => {
            vec![check.user_and_paths("give_back", user, paths)?]
        }
        Edit::CommentOut { lines } => check.lines("comment_out", lines, None)?,
        Edit::CommentOutRefused {} => vec!["comment_out_refused".to_owned()],
        Edit::CommentOutBlock { lines } => {
            check.lines("comment_out_block", lines, None)?
        }
        Edit::SplitLine { lines } => check.lines("split_line", lines, None)?,
        Edit::AddWord { line, word } => {
            check.lines("add_word", std::slice::from_ref(line), Some(word))?
        }
        Edit::TakeOutWord { lines, word } => {
            check.lines("take_out_word", lines, Some(word))?
        }
        Edit::InsertAfter { insertions } => check.insertions(insertions)?,
        Edit::RestoreStockConfig {} => vec!["restore_stock_config".to_owned()],
        Edit::ClearExpiry { user } => vec![words("clear_expiry", [check.name(user)?])],
        Edit::RenewPassword { user } => {
            vec![words("renew_password", [check.name(user)?])]
        }
        Edit::UnlockKeys { user } => vec![words("unlock_keys", [check.name(user)?])],
        Edit::SetShell { user } => vec![words("set_shell", [check.name(user)?])],
        Edit::RemoveNologin {} => vec!["remove_nologin".to_owned()],
        Edit::MakeHostKeys { paths } => {
            vec![words("make_host_keys", check.paths(paths)?)]
        }
        Edit::CloseHostKeys { paths } => {
            vec![words("close_host_keys", check.paths(paths)?)]
        }
        Edit::MakeExecutable {} => vec!["make_executable".to_owned()],
        Edit::AddSshdAccount {} => vec!["add_sshd_account".to_owned()],
        Edit::UnmaskUnit { unit } => vec![words("unmask_unit", [check.name(unit)?])],
        Edit::EnableUnit { unit } => vec![words("enable_unit", [check.name(unit)?])],
        Edit::AddSocketPort { socket, port } => {
            vec![words("add_socket_port", [check.name(socket)?, port.to_string()])]
        }
        Edit::DropPortOption { port } => {
            vec![words("drop_port_option", [port.to_string()])]
        }
        Edit::ApplySshd { even_if_refused: false } => vec!["apply_sshd".to_owned()],
        // With a configuration that sshd refuses, starting it is the next cause's
        // repair.
        Edit::ApplySshd { even_if_refused: true } => {
            vec!["{ apply_sshd || say 'not started'; }".to_owned()]
        }
        Edit::ContinueProcesses { pids } => {
            vec![words("continue_processes", pids.iter().map(u32::to_string))]
        }
        Edit::AcceptSsh { rules, port, client, incoming } => {
            let rules = check.rules(rules)?;
            let way = if *incoming { "incoming" } else { "replies" };
            let args = [rules, port.to_string(), client.to_string(), way.to_owned()];
            vec![words("accept_ssh", args)]
        }
        Edit::LiftBan { client } => vec![words("lift_ban", [client.to_string()])],
        Edit::AllowInUfw { port, client } => {
            vec![words("allow_in_ufw", [port.to_string(), client.to_string()])]
        }
    })
}

/// A command line of words that are quoted, or need not be.
fn words(function: &str, arguments: impl IntoIterator<Item = String>) -> String {
    let mut line = function.to_owned();
    for argument in arguments {
        line.push(' ');
        line.push_str(&argument);
    }
    line
}

struct Check {
    verb: &'static str,
}

impl Check {
    fn unfit(&self, argument: &str, why: &'static str) -> Unfit {
        Unfit { verb: self.verb, argument: argument.to_owned(), why }
    }

    /// One line of text: records and lists are lines.
    fn line<'a>(&self, text: &'a str) -> Result<&'a str, Unfit> {
        if text.contains(['\n', '\0']) {
            return Err(self.unfit(text, "a line break ends what it says"));
        }
        Ok(text)
    }

    /// A name that no program takes for an option.
    fn name(&self, name: &str) -> Result<String, Unfit> {
        if name.is_empty() || name.starts_with('-') || name.contains([':', '/']) {
            return Err(self.unfit(name, "it is no name"));
        }
        self.line(name).map(quote)
    }

    fn path(&self, path: &str) -> Result<String, Unfit> {
        if !path.starts_with('/') {
            return Err(self.unfit(path, "it is no absolute path"));
        }
        self.line(path).map(quote)
    }

    /// Paths, a directory before what is in it.
    fn paths(&self, paths: &[String]) -> Result<Vec<String>, Unfit> {
        let mut sorted: Vec<&String> = paths.iter().collect();
        sorted.sort_by_key(|path| path.matches('/').count());
        sorted.into_iter().map(|path| self.path(path)).collect()
    }

    fn user_and_paths(
        &self,
        function: &str,
        user: &str,
        paths: &[String],
    ) -> Result<String, Unfit> {
        let mut arguments = vec![self.name(user)?];
        arguments.extend(self.paths(paths)?);
        Ok(words(function, arguments))
    }

    /// `type base64`: with options or a second line it would be more than a key.
    fn key(&self, key: &str) -> Result<String, Unfit> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+/=-@.".contains(c);
        match key.split_once(' ') {
            Some((kind, blob))
                if !kind.is_empty()
                    && kind.chars().all(plain)
                    && blob.starts_with("AAAA")
                    && blob.chars().all(plain) =>
            {
                Ok(quote(key))
            }
            _ => Err(self.unfit(key, "it is no public key")),
        }
    }

    fn list(&self, items: &[String]) -> Result<String, Unfit> {
        let items: Result<Vec<&str>, Unfit> =
            items.iter().map(|item| self.line(item)).collect();
        Ok(quote(&items?.join("\n")))
    }

    /// A call for each file, with all of its lines.
    fn places<'a>(
        &self,
        lines: impl Iterator<Item = (&'a Line, Option<&'a str>)>,
    ) -> Result<Vec<(String, String)>, Unfit> {
        let mut files: Vec<(&str, Vec<String>)> = Vec::new();
        for (line, more) in lines {
            let mut place =
                format!("{} {}", line.line, self.line(first_word(&line.text))?);
            if let Some(more) = more {
                place.push('\t');
                place.push_str(self.line(more)?);
            }
            match files.iter_mut().find(|(file, _)| *file == line.file) {
                Some((_, places)) => places.push(place),
                None => files.push((&line.file, vec![place])),
            }
        }
        let place = |(file, places): (&str, Vec<String>)| {
            Ok((self.path(file)?, quote(&places.join("\n"))))
        };
        files.into_iter().map(place).collect()
    }

    fn lines(
        &self,
        function: &str,
        lines: &[Line],
        word: Option<&String>,
    ) -> Result<Vec<String>, Unfit> {
        let word = word.map(|word| self.line(word).map(quote)).transpose()?;
        let places = self.places(lines.iter().map(|line| (line, None)))?;
        let call = |(file, places): (String, String)| {
            words(function, [file, places].into_iter().chain(word.clone()))
        };
        Ok(places.into_iter().map(call).collect())
    }

    fn insertions(&self, insertions: &[Insertion]) -> Result<Vec<String>, Unfit> {
        let each = insertions.iter().map(|each| (&each.after, Some(each.new.as_str())));
        let places = self.places(each)?;
        let call =
            |(file, places): (String, String)| words("insert_after", [file, places]);
        Ok(places.into_iter().map(call).collect())
    }

    fn rules(&self, rules: &[FilterRule]) -> Result<String, Unfit> {
        let mut lines = Vec::new();
        for FilterRule { tool, family, table, chain, place } in rules {
            let words = [tool, family, table, chain];
            if let Some(word) = words
                .into_iter()
                .find(|word| word.is_empty() || word.contains(char::is_whitespace))
            {
                return Err(self.unfit(word, "it is no name in a packet filter"));
            }
            let place = place.map_or_else(|| "-".to_owned(), |place| place.to_string());
            lines.push(format!("{tool} {family} {table} {chain} {place}"));
        }
        Ok(quote(&lines.join("\n")))
    }
}

/// The keyword of a configuration's line, as the guest reads it.
fn first_word(text: &str) -> &str {
    let text = text.trim_start_matches([' ', '\t']);
    text.split([' ', '\t', '\r', '=']).next().unwrap_or_default()
}
