//! Simulated weather of the cities with a stock exchange, for the topics `weather:CITY`.

mod city;

use serde_json::{Value, json};

use self::city::{CITIES, City};
use crate::model::{Symbol, Timestamp};

/// A deterministic weather generator: the seed, the city and the time give the same weather on every machine.
///
/// A city has a season, a day and night, and weather systems, which pass within some days: noise between random values
/// that are hours apart. Temperature, clouds, humidity and wind follow from them, and from these whether it rains.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedWeather {
    seed: u64,
}

/// What a random value is for, so that equal times give different ones.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    AirMass = 1,
    Clouds,
    Wind,
    Gusts,
}

const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;
const YEAR: f64 = 365.242_5 * DAY;
/// The coldest day in the north, in days after the new year.
const COLDEST_DAY: f64 = 20.0;
/// The warmest hour of a day, by local standard time.
const WARMEST_HOUR: f64 = 15.0;
/// An air mass makes it this much warmer or colder.
const AIR_MASS_K: f64 = 6.0;

impl SimulatedWeather {
    /// The weather with this seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The topic of each city, with its weather at this time: `temp_c` in °C, `humidity` from 0 to 1, `wind_ms` in m/s,
    /// `condition` (`clear`, `clouds`, `rain`, `snow`, `fog`), and `"simulated":true`.
    pub fn at(self, time: Timestamp) -> impl Iterator<Item = (Symbol, Value)> {
        CITIES.iter().zip(1..).filter_map(move |(city, number)| {
            let topic = format!("weather:{}", city.name).parse().ok()?;
            Some((topic, self.of_city(city, number, time)))
        })
    }

    fn of_city(self, city: &City, number: u64, time: Timestamp) -> Value {
        let seconds = time.nanos() as f64 / 1e9;
        let noise = |purpose, hours: f64| self.noise(number, purpose, seconds / (hours * HOUR));
        let local_hour = (seconds + city.utc_hours * HOUR) / HOUR;
        let season = -cosine((seconds / DAY - COLDEST_DAY) / (YEAR / DAY));
        let daylight = cosine((local_hour - WARMEST_HOUR) / 24.0);
        let cloud = city.cloudiness + 0.6 * noise(Purpose::Clouds, 7.0);

        // Clouds keep the warmth of the day out, and that of the night in.
        let day_k = city.day_k * daylight * (1.3 - 0.6 * cloud.clamp(0.0, 1.0));
        let temperature =
            city.mean_c + city.season_k * season + day_k + AIR_MASS_K * noise(Purpose::AirMass, 40.0);
        let humidity = city.humidity + 0.22 * (cloud - city.cloudiness) - 0.12 * daylight;
        let wind = city.wind_ms * (1.0 + 0.7 * noise(Purpose::Wind, 9.0) + 0.25 * noise(Purpose::Gusts, 0.4));
        let (humidity, wind) = (humidity.clamp(0.12, 1.0), wind.max(0.1));
        json!({
            "temp_c": rounded(temperature, 10.0),
            "humidity": rounded(humidity, 100.0),
            "wind_ms": rounded(wind, 10.0),
            "condition": condition(temperature, cloud, humidity, wind),
            "simulated": true,
        })
    }

    /// A smooth random function of time between -1 and 1, with a random value at each integer.
    fn noise(self, city: u64, purpose: Purpose, at: f64) -> f64 {
        let before = at.floor();
        let part = at - before;
        let knot = |index: f64| self.uniform(city, purpose, index as i64);
        let (from, to) = (knot(before), knot(before + 1.0));
        from + (to - from) * part * part * (3.0 - 2.0 * part)
    }

    /// A random value between -1 and 1.
    fn uniform(self, city: u64, purpose: Purpose, index: i64) -> f64 {
        let of_city = mixed(mixed(self.seed) ^ (city << 8 | purpose as u64));
        let bits = mixed(of_city ^ index as u64);
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

fn condition(temperature: f64, cloud: f64, humidity: f64, wind: f64) -> &'static str {
    match cloud {
        cloud if cloud > 0.95 && temperature < 0.5 => "snow",
        cloud if cloud > 0.95 => "rain",
        _ if humidity > 0.85 && wind < 2.0 => "fog",
        cloud if cloud > 0.5 => "clouds",
        _ => "clear",
    }
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

/// The cosine of an angle in turns by Bhaskara's approximation. The absolute error is below 0.002; the result has the same
/// bits on every machine.
fn cosine(turns: f64) -> f64 {
    let part = turns - turns.floor();
    let half_turns = 2.0 * part.min(1.0 - part);
    let within_quarter = |x: f64| (1.0 - 4.0 * x * x) / (1.0 + x * x);
    if half_turns <= 0.5 { within_quarter(half_turns) } else { -within_quarter(1.0 - half_turns) }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014), after its increment: each bit of the result depends on each of
/// the argument.
const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::topics::{Namespace, Namespaces};
    use crate::wire::fixtures;

    const MINUTE: i64 = 60_000_000_000;

    fn start() -> Timestamp {
        // 2026-01-01.
        Timestamp::from_nanos(1_767_225_600_000_000_000)
    }

    fn after(minutes: i64) -> Timestamp {
        Timestamp::from_nanos(start().nanos() + minutes * MINUTE)
    }

    fn at(seed: u64, minutes: i64) -> BTreeMap<String, Value> {
        SimulatedWeather::new(seed)
            .at(after(minutes))
            .map(|(topic, weather)| (topic.as_str().to_owned(), weather))
            .collect()
    }

    /// Mean temperature of a city in a month of 30 days that begins on this day, over each hour.
    fn mean(city: &str, day: i64) -> f64 {
        let of_hour = |hour| at(1, (day * 24 + hour) * 60)[city]["temp_c"].as_f64().unwrap();
        (0..720).map(of_hour).sum::<f64>() / 720.0
    }

    #[test]
    fn weather_depends_on_the_seed_and_the_time_alone() {
        assert_eq!(at(1, 7), at(1, 7));
        assert_ne!(at(1, 7), at(2, 7));
        let expected = json!({
            "temp_c": -1.5, "humidity": 0.66, "wind_ms": 3.3, "condition": "clouds", "simulated": true,
        });
        assert_eq!(at(1, 0)["weather:new-york"], expected, "on every machine");
    }

    #[test]
    fn each_city_is_a_topic_of_the_namespace() {
        let namespaces = Namespaces::new(vec![Namespace::weather()]);
        let topics: Vec<_> = SimulatedWeather::new(1).at(start()).map(|(topic, _)| topic).collect();

        assert_eq!(topics.len(), CITIES.len());
        assert!(topics.iter().all(|topic| namespaces.of(topic, &fixtures::universe()).is_some()));
    }

    #[test]
    fn seasons_are_those_of_the_place() {
        let (january, july) = (0, 181);
        for (city, warmer) in
            [("weather:new-york", 24.8), ("weather:sydney", -10.6), ("weather:singapore", 1.6)]
        {
            let difference = mean(city, july) - mean(city, january);
            assert!((difference - warmer).abs() < 4.0, "{city}: {difference} K");
        }
    }

    #[test]
    fn a_year_has_all_conditions_and_nothing_jumps() {
        let mut conditions = BTreeSet::new();
        let mut before = at(1, 0);
        for hour in 0..8_760 {
            let now = at(1, hour * 60);
            let soon = at(1, hour * 60 + 1);
            for (city, weather) in &now {
                let number = |weather: &Value, key: &str| weather[key].as_f64().unwrap();
                let celsius = number(weather, "temp_c");
                assert!((-35.0..48.0).contains(&celsius), "{city}: {weather}");
                assert!((celsius - number(&soon[city], "temp_c")).abs() < 0.35, "{city}: {weather}");
                assert!((celsius - number(&before[city], "temp_c")).abs() < 6.0, "{city}: {weather}");
                assert!((0.1..=25.0).contains(&number(weather, "wind_ms")), "{city}: {weather}");
                assert!((0.1..=1.0).contains(&number(weather, "humidity")), "{city}: {weather}");
                let condition = weather["condition"].as_str().unwrap().to_owned();
                assert!(condition != "snow" || celsius < 1.0, "{city}: {weather}");
                conditions.insert(condition);
            }
            before = now;
        }
        assert_eq!(conditions, ["clear", "clouds", "fog", "rain", "snow"].map(str::to_owned).into());
    }

    #[test]
    fn the_cosine_is_within_its_error() {
        for step in -2_000..2_000 {
            let turns = f64::from(step) / 700.0;
            let exact = (turns * std::f64::consts::TAU).cos();
            assert!((cosine(turns) - exact).abs() < 0.002, "{turns}");
        }
    }
}
