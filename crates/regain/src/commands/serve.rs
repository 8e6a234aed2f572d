//! `serve`: the local cloud in the foreground.

use crate::args::{Engine, Serve};
use crate::context::Context;
use crate::failure::Failure;
use crate::lab::{LabState, guest_binary};
use crate::output::Answer;

pub(super) async fn run(args: Serve, context: &Context) -> Result<Answer, Failure> {
    let lab = LabState::of(&context.global);
    let keeper = std::env::current_exe().map_err(|error| {
        Failure::new("cannot find this program's own file").because(error)
    })?;
    let (engine, guest_binary) = match args.engine {
        Engine::Nspawn => (cloud::EngineKind::Nspawn, guest_binary::find()?),
        // Machines in name only have no guest to put it into.
        Engine::Fake => {
            (cloud::EngineKind::Fake, guest_binary::find().unwrap_or_default())
        }
    };
    let config = cloud::Config {
        state: lab.dir().to_owned(),
        listen: args.listen,
        engine,
        cache: args.cache,
        guest_binary,
        keeper,
        weather: args.weather,
    };
    let mut limits = cloud::Limits::default();
    if let Some(per_second) = args.requests_per_second {
        let rate = cloud::Rate { burst: per_second, per_second };
        (limits.reads, limits.writes, limits.deletes) = (rate, rate, rate);
    }
    cloud::serve(config, limits)
        .await
        .map_err(|error| Failure::new("the local cloud ended").because(error))?;
    Ok(Answer::done())
}
