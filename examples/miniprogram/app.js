const config = require('./config.js')
const { WxApi } = require('./utils/wxapi.js')
const simulator = require('./utils/simulator.js')

App({
  onLaunch() {
    const { baseUrl } = config
    this.api = new WxApi(config.simulator ? { baseUrl, getCode: simulator.getCode } : { baseUrl })
    // So that the first question need not wait for the login. If it fails now, the first question will say so.
    this.api.session().catch(() => {})
  },
})
