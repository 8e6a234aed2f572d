//! The weather of a lab: a file of its state directory, at which the server looks.

use std::fs;
use std::io;

use cloud::Weather;

use super::LabState;
use crate::failure::Failure;

/// The weather of a lab, running or not.
pub(crate) fn of(lab: &LabState) -> Result<Weather, Failure> {
    Weather::read(lab.dir()).map_err(|error| {
        Failure::new("the lab's weather cannot be read").because(error).next(
            "run as the user that started the lab; `regain lab weather clear` \
                   makes it anew",
        )
    })
}

/// Makes the weather of a lab. It holds when this returns.
pub(crate) fn make(lab: &LabState, weather: Weather) -> Result<(), Failure> {
    let write = || {
        weather.write(lab.dir())?;
        // What a session has learned of the cloud may no longer be told.
        match fs::remove_file(lab.session()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    write().map_err(|error| {
        Failure::new("the lab's weather cannot be made")
            .because(error)
            .next("run as the user that started the lab, usually root")
    })
}

/// The same, if it is not so already.
pub(crate) fn ensure(lab: &LabState, weather: Weather) -> Result<(), Failure> {
    if of(lab)? == weather { Ok(()) } else { make(lab, weather) }
}
