use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest};

use super::ask::Ask;
use super::permit::Permit;
use super::refusal::Refusal;
use crate::gate::{Chores, Turn};
use crate::http::House;
use crate::model::{Symbol, SymbolId};

/// A request that may be answered now: who asks has a permit, and it is its turn, which lasts until the
/// handler that takes this is done.
///
/// Who has no permit is told so at once: nobody waits in line for a refusal. Take it first, so that this
/// comes before all else that may be wrong.
pub(super) struct Inquiry {
    pub(super) house: Data<House>,
    permit: Permit,
    request: HttpRequest,
    _turn: Turn,
}

impl FromRequest for Inquiry {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (permit, house) = (Permit::from_request(request, payload), Data::from_request(request, payload));
        let request = request.clone();
        Box::pin(async move {
            let (permit, house) = (permit.await?, house.await?);
            let chores = request.app_data::<Rc<Chores>>().expect("`doors` put the line into the application");
            let turn = Rc::clone(chores).turn().await;
            Ok(Self { house, permit, request, _turn: turn })
        })
    }
}

impl Inquiry {
    /// What is asked.
    pub(super) fn ask(&self) -> Result<Ask, Refusal> {
        Ask::of(self.request.query_string())
    }

    /// The symbols that are asked for, as far as the market knows them.
    pub(super) fn symbols(&self, ask: &Ask) -> Result<Vec<SymbolId>, Refusal> {
        let symbols = ask.symbols()?;
        symbols.iter().try_for_each(|symbol| self.permit.check(symbol))?;
        Ok(symbols.iter().filter_map(|symbol| self.house.universe.find(symbol)).collect())
    }

    /// The one symbol of a path.
    pub(super) fn symbol(&self, text: &str) -> Result<(Symbol, SymbolId), Refusal> {
        let found = text.parse().ok().and_then(|symbol| Some((symbol, self.house.universe.find(&symbol)?)));
        let (symbol, id) = found.ok_or_else(|| Refusal::UnknownSymbol(text.to_owned()))?;
        self.permit.check(&symbol)?;
        Ok((symbol, id))
    }
}
