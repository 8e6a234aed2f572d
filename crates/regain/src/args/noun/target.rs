//! Group, parent and name, or `--ids`.

use std::marker::PhantomData;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::{Noun, Parent};

/// A resource by its names.
#[derive(Debug, Clone)]
pub(crate) struct Named<N> {
    pub(crate) group: String,
    pub(crate) parent: Option<String>,
    pub(crate) name: String,
    noun: PhantomData<N>,
}

/// A resource by its names, or resources by their ids.
#[derive(Debug, Clone)]
pub(crate) enum Target<N> {
    Named(Named<N>),
    Ids(Vec<String>),
    /// Neither: this flag is missing. az finds that out late, and says so itself.
    Missing(String),
}

impl<N: Noun> Args for Named<N> {
    fn augment_args(command: Command) -> Command {
        names::<N>()
            .into_iter()
            .fold(command, |command, arg| command.arg(arg.required(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<N: Noun> FromArgMatches for Named<N> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            group: text(matches, "group").unwrap_or_default(),
            parent: N::PARENT.and_then(|_| text(matches, "parent")),
            name: text(matches, "name").unwrap_or_default(),
            noun: PhantomData,
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

impl<N: Noun> Args for Target<N> {
    fn augment_args(command: Command) -> Command {
        let ids = Arg::new("ids")
            .long("ids")
            .value_name("ID")
            .num_args(1..)
            .action(ArgAction::Append)
            .help("One or more resource IDs, instead of the names");
        names::<N>()
            .into_iter()
            .fold(command, |command, arg| command.arg(arg.conflicts_with("ids")))
            .arg(ids)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<N: Noun> FromArgMatches for Target<N> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if let Some(ids) = matches.get_many::<String>("ids") {
            return Ok(Self::Ids(ids.cloned().collect()));
        }
        let parent = N::PARENT.map(|parent| ("parent", format!("--{}", parent.flag)));
        let (name, group) = ("-n".to_owned(), "--resource-group".to_owned());
        let flags = [Some(("name", name)), parent, Some(("group", group))];
        let missing =
            flags.into_iter().flatten().find(|(id, _)| !matches.contains_id(id));
        Ok(match missing {
            Some((_, flag)) => Self::Missing(flag),
            None => Self::Named(Named::from_arg_matches(matches)?),
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

/// The flags that name a resource.
fn names<N: Noun>() -> Vec<Arg> {
    let mut names = vec![group()];
    names.extend(N::PARENT.map(parent));
    names.push(
        Arg::new("name")
            .long("name")
            .short('n')
            .visible_aliases(N::ALIASES)
            .value_name("NAME")
            .help(format!("Name of the {}", N::WHAT)),
    );
    names
}

/// `-g`
pub(super) fn group() -> Arg {
    Arg::new("group")
        .long("resource-group")
        .short('g')
        .help("Name of the resource group.")
}

/// The flag that names a parent.
pub(super) fn parent(parent: Parent) -> Arg {
    Arg::new("parent")
        .long(parent.flag)
        .value_name("NAME")
        .help(format!("Name of the {}", parent.what))
}

/// A flag's text, if it was given.
pub(super) fn text(matches: &ArgMatches, id: &str) -> Option<String> {
    matches.get_one::<String>(id).cloned()
}
