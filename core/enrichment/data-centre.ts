// Networks of machines, in which people do not live: hosting and cloud providers, by the number of their autonomous
// system. The list is short on purpose and has only the large ones. Networks that also carry people are left out:
// content networks (Cloudflare, Fastly and Akamai carry Apple's Private Relay), Google's own network (its VPN), and
// hosts that mostly serve consumer VPNs.

const PROVIDERS: readonly (readonly [name: string, asns: readonly number[]])[] = [
  ["Amazon Web Services", [14618, 16509]],
  ["Google Cloud", [396982]],
  ["Microsoft Azure", [8075]],
  ["Oracle Cloud", [31898]],
  ["IBM Cloud", [36351]],
  ["Alibaba Cloud", [37963, 45102]],
  ["Tencent Cloud", [45090, 132203]],
  ["Huawei Cloud", [55990, 136907]],
  ["DigitalOcean", [14061]],
  ["Linode", [63949]],
  ["Vultr", [20473]],
  ["Hetzner", [24940, 212317, 213230]],
  ["OVH", [16276]],
  ["Scaleway", [12876]],
  ["Contabo", [40021, 51167]],
  ["IONOS", [8560]],
  ["STRATO", [6724]],
  ["netcup", [197540]],
  ["Host Europe", [8972, 20738, 20773]],
  ["myLoc", [24961]],
  ["Aruba", [31034]],
  ["LeaseWeb", [7203, 19148, 27411, 28753, 30633, 60781]],
  ["NForce", [43350]],
  ["Hostinger", [47583]],
  ["Rackspace", [15395, 27357, 33070]],
  ["Liquid Web", [32244]],
  ["GoDaddy", [26496]],
  ["Unified Layer", [46606]],
  ["InMotion", [22611]],
  ["Namecheap", [22612]],
  ["Hostwinds", [54290]],
  ["HostDime", [33182]],
  ["Hivelocity", [29802]],
  ["ColoCrossing", [36352]],
  ["FranTech", [53667]],
  ["InterServer", [19318]],
  ["WholeSale Internet", [32097]],
  ["Psychz", [40676]],
  ["Multacom", [35916]],
  ["IT7 Networks", [25820]],
  ["Sakura Internet", [9370]],
  ["Selectel", [49505]],
  ["Timeweb", [9123]],
  ["Aeza", [210644]],
];

/** The provider of each autonomous system in the list, by its number. */
export const DATA_CENTRES: ReadonlyMap<number, string> = new Map(
  PROVIDERS.flatMap(([name, asns]) => asns.map((asn) => [asn, name] as const)),
);
