//! A case: one command as it is typed, and what must hold then. Cases are data; a
//! family is a file of them, on a resource group and a VM of its own.

use e2e::Client;

use crate::check::Check;

/// Who runs a family's lines, unless a case says otherwise: the same words for az
/// and for regain.
pub(crate) const BOTH: &[Client] = &[Client::Az, Client::Regain];

/// One command.
pub(crate) struct Case {
    /// What is typed after the client's name; `{names}` are filled in.
    pub(crate) line: &'static str,
    /// Only these of the family's clients.
    pub(crate) only: Option<&'static [Client]>,
    /// Typed with this client whoever the family's is.
    pub(crate) with: Option<Client>,
    /// A principal of [`Case::keep`]'s values `NAME_id` and `NAME_secret`; none is
    /// the lab's owner.
    pub(crate) who: Option<&'static str>,
    /// Variables of the environment that it is typed in.
    pub(crate) env: Vec<(&'static str, &'static str)>,
    /// What is done and must hold before.
    pub(crate) given: Vec<Check>,
    /// What must hold after. Exit status 0 is meant if none is named.
    pub(crate) then: Vec<Check>,
    /// Values of the answer that later lines may name: name and JSON pointer.
    pub(crate) keep: Vec<(&'static str, &'static str)>,
}

/// A command that must succeed.
pub(crate) fn run(line: &'static str) -> Case {
    Case {
        line,
        only: None,
        with: None,
        who: None,
        env: vec![],
        given: vec![],
        then: vec![],
        keep: vec![],
    }
}

/// A command that must fail with this exit status.
pub(crate) fn fails(exit: i32, line: &'static str) -> Case {
    run(line).then(Check::Exit(exit))
}

impl Case {
    pub(crate) fn given(mut self, check: Check) -> Self {
        self.given.push(check);
        self
    }

    pub(crate) fn then(mut self, check: Check) -> Self {
        self.then.push(check);
        self
    }

    pub(crate) fn keep(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.keep.push((name, pointer));
        self
    }

    pub(crate) fn only(mut self, clients: &'static [Client]) -> Self {
        self.only = Some(clients);
        self
    }

    pub(crate) fn with(mut self, client: Client) -> Self {
        self.with = Some(client);
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    pub(crate) fn by(mut self, who: &'static str) -> Self {
        self.who = Some(who);
        self
    }

    /// The exit status that is meant.
    pub(crate) fn exit(&self) -> i32 {
        let exit = self.then.iter().find_map(|check| match check {
            Check::Exit(exit) => Some(*exit),
            _ => None,
        });
        exit.unwrap_or(0)
    }

    pub(crate) fn is_for(&self, client: Client) -> bool {
        self.only.is_none_or(|only| only.contains(&client))
    }
}

/// What a family finds when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// Nothing: not even a group.
    Empty,
    /// A resource group.
    Group,
    /// A resource group and a running VM with a public address, made by `regain`.
    Vm,
}

/// Cases that build on each other.
pub(crate) struct Family {
    /// As `--only` names it.
    pub(crate) name: &'static str,
    pub(crate) clients: &'static [Client],
    pub(crate) world: World,
    pub(crate) cases: Vec<Case>,
    /// Lines that `az` and `regain` must answer with the same bytes, in these formats.
    pub(crate) alike: Vec<(&'static str, &'static [&'static str])>,
}

impl Family {
    pub(crate) fn new(
        name: &'static str,
        clients: &'static [Client],
        world: World,
        cases: Vec<Case>,
    ) -> Self {
        Self { name, clients, world, cases, alike: vec![] }
    }

    /// Whether az is needed whatever the client is.
    pub(crate) fn uses_az(&self) -> bool {
        !self.alike.is_empty()
            || self.cases.iter().any(|case| case.with == Some(Client::Az))
    }

    /// What it is called where spaces may not stand.
    pub(crate) fn slug(&self, client: Client) -> String {
        let name: String = self
            .name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .collect::<String>()
            .to_ascii_lowercase();
        let client = match client {
            Client::Az => "az",
            Client::Classic => "cl",
            Client::Python => "py",
            Client::Regain => "rg",
        };
        format!("{name}-{client}")
    }
}
