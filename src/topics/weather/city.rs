/// A city with a stock exchange, and what its weather is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct City {
    /// The part of the topic's name behind `weather:`.
    pub(super) name: &'static str,
    /// Mean temperature of the year in °C.
    pub(super) mean_c: f64,
    /// Half the difference between the warmest and the coldest month in K; negative in the south, where January is warm.
    pub(super) season_k: f64,
    /// Half the difference between afternoon and early morning in K.
    pub(super) day_k: f64,
    /// The part of the time with clouds, from 0 to 1.
    pub(super) cloudiness: f64,
    /// Mean relative humidity, from 0 to 1.
    pub(super) humidity: f64,
    /// Mean wind speed in m/s.
    pub(super) wind_ms: f64,
    /// Local standard time ahead of UTC in hours.
    pub(super) utc_hours: f64,
}

/// The cities, with rounded means of their climates (1991 to 2020, from national weather services).
pub(super) const CITIES: [City; 18] = [
    city("amsterdam", [10.5, 7.2, 3.5], [0.66, 0.82, 4.9], 1.0),
    city("chicago", [10.7, 14.2, 4.8], [0.55, 0.70, 4.6], -6.0),
    city("frankfurt", [10.8, 9.4, 4.6], [0.62, 0.75, 3.2], 1.0),
    city("hong-kong", [23.5, 6.2, 2.4], [0.66, 0.78, 6.2], 8.0),
    city("johannesburg", [16.2, -5.1, 6.0], [0.36, 0.56, 4.0], 2.0),
    city("london", [11.8, 6.8, 4.0], [0.65, 0.77, 4.2], 0.0),
    city("madrid", [15.0, 9.9, 5.6], [0.40, 0.57, 2.9], 1.0),
    city("mumbai", [27.5, 2.9, 3.8], [0.45, 0.75, 3.1], 5.5),
    city("new-york", [12.9, 12.4, 4.1], [0.52, 0.63, 4.7], -5.0),
    city("paris", [12.4, 8.1, 4.2], [0.62, 0.76, 3.6], 1.0),
    city("sao-paulo", [20.1, -3.4, 4.8], [0.60, 0.75, 2.6], -3.0),
    city("seoul", [12.8, 14.3, 4.7], [0.49, 0.62, 2.3], 9.0),
    city("shanghai", [17.1, 12.3, 3.6], [0.61, 0.74, 3.1], 8.0),
    city("singapore", [27.8, 0.8, 3.3], [0.68, 0.82, 2.3], 8.0),
    city("sydney", [18.8, -5.3, 4.2], [0.47, 0.65, 4.3], 10.0),
    city("tokyo", [15.8, 10.8, 3.9], [0.53, 0.65, 2.9], 9.0),
    city("toronto", [8.9, 13.3, 4.9], [0.57, 0.71, 4.1], -5.0),
    city("zurich", [9.8, 9.5, 4.4], [0.63, 0.76, 2.4], 1.0),
];

const fn city(name: &'static str, temperature: [f64; 3], air: [f64; 3], utc_hours: f64) -> City {
    let [mean_c, season_k, day_k] = temperature;
    let [cloudiness, humidity, wind_ms] = air;
    City { name, mean_c, season_k, day_k, cloudiness, humidity, wind_ms, utc_hours }
}
