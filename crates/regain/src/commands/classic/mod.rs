//! `classic`: the former CLI's words, said in ours.
//!
//! Each command becomes the `vm` command that does the same; what it prints
//! without a format is what the classic CLI printed.

mod extension;
mod list;
mod reset_access;

use crate::args::classic::{Classic, Common, Config, Extension, Mode, Named, Vm};
use crate::args::vm::{self, Power, Restart, Show, Stop, Target};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Format};

pub(super) async fn run(classic: Classic, context: &Context) -> Result<Answer, Failure> {
    match classic {
        Classic::Config(Config::Mode { mode: Mode::Arm }) => {
            Ok(Answer::done().with_text("info:    New mode is arm\n"))
        }
        Classic::Config(Config::Mode { mode: Mode::Asm }) => {
            Err(Failure::usage("there is no asm mode: Azure has shut it down")
                .next("use `regain classic config mode arm`"))
        }
        Classic::Vm(args) => of_vm(*args, context).await,
    }
}

async fn of_vm(args: Vm, context: &Context) -> Result<Answer, Failure> {
    let power =
        |named: &Named| Ok::<_, Failure>(Power { vm: target(named)?, no_wait: false });
    match args {
        Vm::ResetAccess(args) => {
            let common = &args.vm.common;
            let context = context_of(common, context);
            done("vm reset-access", vm_run(reset_access::said(&args)?, &context).await?)
        }
        Vm::List(args) => list::run(args, context).await,
        Vm::Show(args) => {
            let show = Show { vm: target(&args)?, show_details: false };
            vm_run(vm::Vm::Show(show), &context_of(&args.common, context)).await
        }
        Vm::Start(args) => {
            let context = context_of(&args.common, context);
            done("vm start", vm_run(vm::Vm::Start(power(&args)?), &context).await?)
        }
        Vm::Stop(args) => {
            let context = context_of(&args.common, context);
            let stop = Stop { vm: target(&args)?, skip_shutdown: false, no_wait: false };
            done("vm stop", vm_run(vm::Vm::Stop(stop), &context).await?)
        }
        Vm::Restart(args) => {
            let context = context_of(&args.common, context);
            let restart = Restart { power: power(&args)?, force: false };
            done("vm restart", vm_run(vm::Vm::Restart(restart), &context).await?)
        }
        Vm::Deallocate(args) => {
            let context = context_of(&args.common, context);
            done(
                "vm deallocate",
                vm_run(vm::Vm::Deallocate(power(&args)?), &context).await?,
            )
        }
        Vm::Redeploy(args) => {
            let context = context_of(&args.common, context);
            done("vm redeploy", vm_run(vm::Vm::Redeploy(power(&args)?), &context).await?)
        }
        Vm::Extension(Extension::Set(args)) => {
            let context = context_of(&args.common, context);
            extension::confirm(&args, &context)?;
            done("vm extension set", vm_run(extension::said(&args)?, &context).await?)
        }
        Vm::Extension(Extension::Get(args)) => {
            let [group, name] = words(
                [("resource-group", &args.resource_group), ("vm-name", &args.vm_name)],
                &args.words,
            )?;
            let list = vm::ListExtensions {
                group: Some(group),
                vm_name: Some(name),
                ids: Vec::new(),
            };
            let verb = vm::Vm::Extension(vm::Extension::List(list));
            vm_run(verb, &context_of(&args.common, context)).await
        }
    }
}

async fn vm_run(verb: vm::Vm, context: &Context) -> Result<Answer, Failure> {
    super::vm::run(verb, context).await
}

fn done(command: &str, answer: Answer) -> Result<Answer, Failure> {
    Ok(answer.with_text(format!(
        "info:    Executing command {command}\ninfo:    {command} command OK\n"
    )))
}

fn target(named: &Named) -> Result<Target, Failure> {
    let [group, name] = words(
        [("resource-group", &named.resource_group), ("name", &named.name)],
        &named.words,
    )?;
    Ok(Target { group: Some(group), name: Some(name), ids: Vec::new() })
}

/// What was said behind flags, and the rest by the words that stand alone, in
/// order.
fn words<const N: usize>(
    flags: [(&str, &Option<String>); N],
    words: &[String],
) -> Result<[String; N], Failure> {
    let mut words = words.iter();
    let mut said = [const { String::new() }; N];
    for (place, (flag, value)) in said.iter_mut().zip(&flags) {
        match value.as_ref().or_else(|| words.next()) {
            Some(value) => place.clone_from(value),
            None => {
                return Err(Failure::usage(format!("the {flag} is missing"))
                    .next(format!("write it as a word of its own, or with --{flag}")));
            }
        }
    }
    match words.next() {
        Some(word) => Err(Failure::usage(format!("'{word}' is one word too many"))),
        None => Ok(said),
    }
}

/// The context with what the classic flags say.
fn context_of(common: &Common, context: &Context) -> Context {
    let mut global = context.global.clone();
    if common.subscription_id.is_some() {
        global.subscription.clone_from(&common.subscription_id);
    }
    let mut printer = context.printer.clone();
    if common.json && global.output.is_none() {
        global.output = Some(Format::Json);
        printer = printer.in_format(Format::Json);
    }
    Context { global, printer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn words_fill_what_flags_leave() {
        let group = Some("g".to_owned());
        let said = words([("a", &group), ("b", &None), ("c", &None)], &own(&["x", "y"]));
        assert_eq!(said.unwrap(), own(&["g", "x", "y"])[..]);
        let said = words([("a", &None), ("name", &None)], &own(&["x"]));
        assert_eq!(said.unwrap_err().chain(), "the name is missing");
        let said = words([("a", &None)], &own(&["x", "y"]));
        assert_eq!(said.unwrap_err().chain(), "'y' is one word too many");
    }
}
