use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest};

use crate::http::access::AccessPermit;
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::http::state::{AppState, hub_of};
use crate::limits::WorkPermit;
use crate::model::{Symbol, SymbolId, Universe};

/// A REST request that is authorised and admitted: an extractor that holds the worker's fair queue until the
/// handler is done.
///
/// A request without a valid key is refused before it queues. Make it a handler's first argument, so that
/// this check comes before those of other extractors.
pub(super) struct RestRequest {
    pub(super) state: Data<AppState>,
    /// The instruments that the worker's hub knows: the universe may grow.
    pub(super) universe: Arc<Universe>,
    access: AccessPermit,
    _work: WorkPermit,
}

impl FromRequest for RestRequest {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let access = AccessPermit::from_request(request, payload);
        let state = Data::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let (access, state) = (access.await?, state.await?);
            let hub = hub_of(&request);
            let work = Rc::clone(hub.fair_queue()).acquire().await;
            Ok(Self { state, universe: hub.universe(), access, _work: work })
        })
    }
}

impl RestRequest {
    /// The parameters.
    pub(super) fn params(&self) -> &QueryParams {
        self.access.query()
    }

    /// The parameter `symbols`, without those that the market does not have. For market data: refuses a feed
    /// that the key does not allow.
    pub(super) fn symbols(&self) -> Result<Vec<SymbolId>, ApiError> {
        self.access.check_feed()?;
        let symbols = self.params().symbols()?;
        symbols.iter().try_for_each(|symbol| self.access.check_symbol(symbol))?;
        Ok(symbols.iter().filter_map(|symbol| self.universe.find(symbol)).collect())
    }

    /// The symbol of a path. For market data: refuses a feed that the key does not allow.
    pub(super) fn symbol(&self, text: &str) -> Result<(Symbol, SymbolId), ApiError> {
        self.access.check_feed()?;
        let found = text.parse().ok().and_then(|symbol| Some((symbol, self.universe.find(&symbol)?)));
        let (symbol, id) = found.ok_or_else(|| ApiError::UnknownSymbol(text.to_owned()))?;
        self.access.check_symbol(&symbol)?;
        Ok((symbol, id))
    }
}
