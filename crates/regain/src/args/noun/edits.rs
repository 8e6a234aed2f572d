//! `--set`, `--add`, `--remove`: an update of anything, in the order typed.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

const HEADING: &str = "Generic update";

/// One edit of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// `--set PATH=VALUE`
    Set(String),
    /// `--add PATH [KEY=VALUE | VALUE]...`
    Add { path: String, values: Vec<String> },
    /// `--remove PATH [INDEX]`
    Remove { path: String, index: Option<String> },
}

/// The edits, and whether their values are texts whatever they look like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    pub(crate) edits: Vec<Edit>,
    pub(crate) force_string: bool,
}

impl Args for Edits {
    fn augment_args(command: Command) -> Command {
        let edit = |name: &'static str, values: &'static str| {
            Arg::new(name)
                .long(name)
                .value_name(values)
                .num_args(1..)
                .action(ArgAction::Append)
                .help_heading(HEADING)
        };
        command
            .arg(edit("set", "PATH=VALUE").help(
                "Update an object by specifying a property path and value to set. \
                 Example: --set property1.property2=<value>",
            ))
            .arg(edit("add", "PATH KEY=VALUE").help(
                "Add an object to a list of objects by specifying a path and key value pairs. \
                 Example: --add property.listProperty <key=value, string or JSON string>",
            ))
            .arg(edit("remove", "PATH INDEX").help(
                "Remove a property or an element from a list. \
                 Example: --remove property.list <indexToRemove> OR --remove propertyToRemove",
            ))
            .arg(
                Arg::new("force_string")
                    .long("force-string")
                    .action(ArgAction::SetTrue)
                    .help_heading(HEADING)
                    .help(
                        "When using 'set' or 'add', preserve string literals instead of \
                         attempting to convert to JSON",
                    ),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Edits {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut placed: Vec<(usize, Edit)> = Vec::new();
        for name in ["set", "add", "remove"] {
            let mut places = matches.indices_of(name).into_iter().flatten();
            for words in matches.get_occurrences::<String>(name).into_iter().flatten() {
                let words: Vec<String> = words.cloned().collect();
                let Some(at) = places.next() else { continue };
                if words.len() > 1 {
                    places.nth(words.len() - 2);
                }
                placed.extend(edits(name, words).into_iter().map(|edit| (at, edit)));
            }
        }
        placed.sort_by_key(|(at, _)| *at);
        Ok(Self {
            edits: placed.into_iter().map(|(_, edit)| edit).collect(),
            force_string: matches.get_flag("force_string"),
        })
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn edits(name: &str, words: Vec<String>) -> Vec<Edit> {
    if name == "set" {
        return words.into_iter().map(Edit::Set).collect();
    }
    let mut words = words.into_iter();
    let Some(path) = words.next() else { return Vec::new() };
    vec![if name == "add" {
        Edit::Add { path, values: words.collect() }
    } else {
        Edit::Remove { path, index: words.next() }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_keep_the_order_in_which_they_were_typed() {
        let command = Edits::augment_args(Command::new("update"));
        let line = "update --add list a=1 b=2 --set x.y=1 z=2 --remove list 0 --set w=3";
        let matches = command.try_get_matches_from(line.split(' ')).unwrap();
        let set = |text: &str| Edit::Set(text.to_owned());
        assert_eq!(
            Edits::from_arg_matches(&matches).unwrap().edits,
            [
                Edit::Add {
                    path: "list".to_owned(),
                    values: vec!["a=1".to_owned(), "b=2".to_owned()]
                },
                set("x.y=1"),
                set("z=2"),
                Edit::Remove { path: "list".to_owned(), index: Some("0".to_owned()) },
                set("w=3"),
            ]
        );
    }
}
