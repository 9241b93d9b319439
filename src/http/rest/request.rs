use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest};

use super::access::AccessPermit;
use super::error::RestError;
use super::params::QueryParams;
use crate::http::AppState;
use crate::limits::FairQueue;
use crate::limits::WorkPermit;
use crate::model::{Symbol, SymbolId};

/// A request that may be answered now: who asks has a permit, and it is its turn, which lasts until the
/// handler that takes this is done.
///
/// Who has no permit is told so at once: nobody waits in line for a refusal. Take it first, so that this
/// comes before all else that may be wrong.
pub(super) struct RestRequest {
    pub(super) house: Data<AppState>,
    permit: AccessPermit,
    request: HttpRequest,
    _turn: WorkPermit,
}

impl FromRequest for RestRequest {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (permit, house) =
            (AccessPermit::from_request(request, payload), Data::from_request(request, payload));
        let request = request.clone();
        Box::pin(async move {
            let (permit, house) = (permit.await?, house.await?);
            let chores =
                request.app_data::<Rc<FairQueue>>().expect("`doors` put the line into the application");
            let turn = Rc::clone(chores).acquire().await;
            Ok(Self { house, permit, request, _turn: turn })
        })
    }
}

impl RestRequest {
    /// What is asked.
    pub(super) fn ask(&self) -> Result<QueryParams, RestError> {
        QueryParams::of(self.request.query_string())
    }

    /// The symbols that are asked for, as far as the market knows them.
    pub(super) fn symbols(&self, ask: &QueryParams) -> Result<Vec<SymbolId>, RestError> {
        let symbols = ask.symbols()?;
        symbols.iter().try_for_each(|symbol| self.permit.check(symbol))?;
        Ok(symbols.iter().filter_map(|symbol| self.house.universe.find(symbol)).collect())
    }

    /// The one symbol of a path.
    pub(super) fn symbol(&self, text: &str) -> Result<(Symbol, SymbolId), RestError> {
        let found = text.parse().ok().and_then(|symbol| Some((symbol, self.house.universe.find(&symbol)?)));
        let (symbol, id) = found.ok_or_else(|| RestError::UnknownSymbol(text.to_owned()))?;
        self.permit.check(&symbol)?;
        Ok((symbol, id))
    }
}
