use dbn::{StatusAction, StatusReason as DbnReason};

use crate::model::{StatusReason, TradingStatus};

/// The status and the reason of a record, with the codes of the UTP plan where it has them; `None` for a record that
/// does not change the status.
pub(super) fn codes(action: u16, reason: u16) -> Option<(TradingStatus, StatusReason)> {
    let status = match StatusAction::try_from(action).ok()? {
        StatusAction::Trading => "T",
        StatusAction::Halt | StatusAction::Suspend | StatusAction::NotAvailableForTrading => "H",
        StatusAction::Pause => "P",
        StatusAction::Quoting => "Q",
        StatusAction::NewPriceIndication => "5",
        StatusAction::PreOpen => "PREOPEN",
        StatusAction::PreCross | StatusAction::Cross => "CROSS",
        StatusAction::Rotation => "ROTATE",
        StatusAction::PreClose => "PRECLOS",
        StatusAction::Close => "CLOSE",
        StatusAction::PostClose => "POSTCLS",
        // No change, a change of the short-sale restriction, or one that later versions add.
        _ => return None,
    };
    let reason = match DbnReason::try_from(reason).unwrap_or_default() {
        DbnReason::NewsPending => "T1",
        DbnReason::NewsReleased => "T2",
        DbnReason::NewsAndResumptionTimes => "T3",
        DbnReason::MarketEvent => "T6",
        DbnReason::Etf => "T8",
        DbnReason::AdditionalInformationRequested => "T12",
        DbnReason::NonCompliance => "H4",
        DbnReason::FilingsNotCurrent => "H9",
        DbnReason::SecTradingSuspension => "H10",
        DbnReason::Regulatory => "H11",
        DbnReason::Operational => "O1",
        DbnReason::NewIssue => "IPO1",
        DbnReason::IssueAvailable => "IPOQ",
        DbnReason::CorporateAction => "M1",
        DbnReason::QuotationNotAvailable => "M2",
        DbnReason::LuldPause => "LUDP",
        DbnReason::MarketWideHaltLevel1 => "MWC1",
        DbnReason::MarketWideHaltLevel2 => "MWC2",
        DbnReason::MarketWideHaltLevel3 => "MWC3",
        DbnReason::MarketWideHaltCarryover => "MWC0",
        DbnReason::MarketWideHaltResumption => "MWCQ",
        DbnReason::IssuesReviewed => "R4",
        DbnReason::FilingReqsSatisfied => "R9",
        DbnReason::NewsNotForthcoming => "C3",
        // The others have no code in the plan.
        _ => "NONE",
    };
    let codes = (TradingStatus::try_from(status), StatusReason::try_from(reason));
    Some((codes.0.expect("a short code"), codes.1.expect("a short code")))
}
