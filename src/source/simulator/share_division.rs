//! The last step of a [division](super::bar_division): the shares of the parts, and what was paid for them.

use crate::model::{Bar, Price};

use super::random::RandomStream;

/// The standard deviation of the shares of a trade that parts differ by, in units of their mean.
const SHARES_DEVIATION: f64 = 1.0;

/// How often the shares are made to follow the price. The first time brings the average price of the parts to that of the
/// whole, the others mend what limits of the first left.
const TILTS: usize = 4;

/// Gives the bars the shares and the notional of the whole; false if they cannot have them.
pub(super) fn share_out(bars: &mut [Bar], whole: &Bar, random: &mut RandomStream) -> bool {
    let Some(extra) = whole.volume.checked_sub(whole.trades) else { return false };
    let mut weights: Vec<f64> = bars
        .iter()
        .map(|bar| {
            let trades = bar.trades as f64;
            trades * (1.0 + SHARES_DEVIATION / trades.sqrt() * random.normal()).max(0.1)
        })
        .collect();
    let middles: Vec<f64> = bars.iter().map(middle).collect();
    for _ in 0..TILTS {
        if !tilt(bars, &middles, &mut weights, extra as f64, whole.notional as f64) {
            break;
        }
    }

    let total: f64 = weights.iter().sum();
    let (mut weight_so_far, mut given) = (0.0, 0);
    let last = bars.len() - 1;
    for (index, ((bar, weight), middle)) in bars.iter_mut().zip(&weights).zip(&middles).enumerate() {
        weight_so_far += weight;
        let up_to = match index == last {
            true => extra,
            false => ((extra as f64 * (weight_so_far / total)) as u64).clamp(given, extra),
        };
        bar.volume = bar.trades + (up_to - given);
        given = up_to;
        let (low, high) = notional_range(bar);
        bar.notional = ((middle * bar.volume as f64) as i128).clamp(low, high);
    }
    settle_notional(bars, whole)
}

/// Multiplies the weights by a linear function of the price, so that the shares beyond one a trade that follow them give
/// about this notional; false if they did already.
fn tilt(bars: &[Bar], middles: &[f64], weights: &mut [f64], extra: f64, notional: f64) -> bool {
    let scale = extra / weights.iter().sum::<f64>();
    let (mut sum, mut squares, mut volume) = (0.0, 0.0, 0.0);
    let any = middles[0];
    for ((bar, price), weight) in bars.iter().zip(middles).zip(&*weights) {
        let shares = bar.trades as f64 + scale * weight;
        let apart = price - any;
        sum += shares * apart;
        squares += shares * apart * apart;
        volume += shares;
    }
    let mean = sum / volume;
    let variance = squares - sum * mean;
    let missing = notional - any * volume - sum;
    if variance <= 0.0 || missing * missing < 1e-5 * variance * volume {
        return false;
    }
    let slope = missing / variance;
    for (price, weight) in middles.iter().zip(weights) {
        *weight *= (1.0 + slope * (price - any - mean)).clamp(0.4, 2.5);
    }
    true
}

fn middle(bar: &Bar) -> f64 {
    [bar.open, bar.high, bar.low, bar.close].map(Price::cents).iter().sum::<i64>() as f64 / 4.0
}

/// The least and the greatest notional that a bar's shares can have.
fn notional_range(bar: &Bar) -> (i128, i128) {
    let [low, high] = [bar.low, bar.high].map(|price| i128::from(price.cents()) * i128::from(bar.volume));
    (low, high)
}

/// Changes the notional of bars until their sum is that of the whole, first within the range of each, then by moving
/// shares from bars of lower prices to bars of higher ones or back. What is left is less than a share at the range of the
/// whole, and only where most bars have one price. False if more is left.
fn settle_notional(bars: &mut [Bar], whole: &Bar) -> bool {
    let mut missing = whole.notional - bars.iter().map(|bar| bar.notional).sum::<i128>();
    take_up(bars, &mut missing);
    for _ in 0..2 * bars.len() {
        if missing == 0 {
            return true;
        }
        let price = |bar: &Bar| match missing > 0 {
            true => bar.high.cents(),
            false => -bar.low.cents(),
        };
        let givers = (0..bars.len()).filter(|index| bars[*index].volume > bars[*index].trades);
        let Some(giver) = givers.min_by_key(|index| price(&bars[*index])) else { break };
        let Some(taker) = (0..bars.len()).max_by_key(|index| price(&bars[*index])) else { break };
        let gain = i128::from(price(&bars[taker]) - price(&bars[giver]));
        let most = bars[giver].volume - bars[giver].trades;
        // To the nearest: what is too much is taken back within the range of a bar, if one has a range.
        let moved = if gain > 0 { (missing.abs() + gain / 2) / gain } else { 0 };
        let moved = moved.min(most.into()) as u64;
        if moved == 0 {
            break;
        }
        let of =
            |bar: &Bar| i128::from(if missing > 0 { bar.high } else { bar.low }.cents()) * i128::from(moved);
        let (given, taken) = (of(&bars[giver]), of(&bars[taker]));
        missing += given - taken;
        bars[giver].volume -= moved;
        bars[giver].notional -= given;
        bars[taker].volume += moved;
        bars[taker].notional += taken;
        take_up(bars, &mut missing);
    }
    missing.abs() <= i128::from(whole.high.cents() - whole.low.cents())
}

/// Changes the notional of each bar within its range by an even share of what is missing.
fn take_up(bars: &mut [Bar], missing: &mut i128) {
    let is_up = *missing > 0;
    let slack = |bar: &Bar| {
        let (low, high) = notional_range(bar);
        if is_up { high - bar.notional } else { bar.notional - low }
    };
    let mut slack_left: i128 = bars.iter().map(slack).sum();
    let mut left = missing.abs().min(slack_left);
    *missing -= if is_up { left } else { -left };
    for bar in bars {
        let of_bar = slack(bar);
        if slack_left == 0 || left == 0 {
            break;
        }
        let change = ((left * of_bar + slack_left - 1) / slack_left).min(left).min(of_bar);
        slack_left -= of_bar;
        left -= change;
        bar.notional = if is_up { bar.notional + change } else { bar.notional - change };
    }
}
