const { simulator } = require('../config.js')

/** A login code of wx-sim, as `wx.login` gives one of WeChat. */
function getCode() {
  return new Promise((resolve, reject) => {
    const fail = () => reject(Object.assign(new Error(`wx-sim does not answer at ${simulator.url}`), { status: 0 }))
    wx.request({
      url: `${simulator.url}/_sim/login_code`,
      method: 'POST',
      data: { as: simulator.person },
      success: ({ data }) => (data && data.code ? resolve(data.code) : fail()),
      fail,
    })
  })
}

module.exports = { getCode }
