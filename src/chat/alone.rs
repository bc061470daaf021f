//! Without the feature `engine` a room has one server.

use std::io;
use std::sync::Arc;
use std::thread::Scope;

use crossbeam_channel::Receiver;

use crate::chat::message::{Message, Recipient};
use crate::chat::online_map::{Client, OnlineMap};
use crate::server::shutdown::Done;

/// The options of a room over several servers, which this build refuses.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Sharing {
    #[arg(long, hide = true, env = "THREADLINE_ENGINE")]
    engine: Option<String>,
    #[arg(long, hide = true)]
    room: Option<String>,
}

impl Sharing {
    #[cfg(feature = "lab")]
    pub fn at(_: &str) -> io::Result<Sharing> {
        let why = "this program was built without the feature engine";
        Err(io::Error::other(why))
    }

    pub fn check(&self, _: usize, _: bool) -> Result<(), String> {
        if self.engine.is_some() || self.room.is_some() {
            let needs =
                "--engine, THREADLINE_ENGINE and --room need a build with --features engine";
            return Err(needs.to_owned());
        }
        Ok(())
    }
}

/// There is none.
pub enum Engine {}

impl Engine {
    pub fn open(_: &Sharing, _: &Arc<OnlineMap>, _: &Done) -> io::Result<Option<Engine>> {
        Ok(None)
    }

    pub fn everyone(&self) -> Option<Vec<Client>> {
        match *self {}
    }

    pub fn counter(&self) -> Box<dyn Fn() -> usize + Send> {
        match *self {}
    }

    pub fn find(&self, _: &[u8]) -> Result<(Recipient, Client), &'static str> {
        match *self {}
    }

    pub fn claim(&self, _: u64, _: &[u8]) -> Result<(), &'static str> {
        match *self {}
    }

    pub fn is_cut_off(&self) -> bool {
        match *self {}
    }

    pub fn start<'s>(
        &self,
        _: &'s Scope<'s, '_>,
        _: Receiver<Message>,
        _: usize,
    ) -> io::Result<Receiver<Message>> {
        match *self {}
    }
}
