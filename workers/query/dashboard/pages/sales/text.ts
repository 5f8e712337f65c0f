// The texts of the page Sales.

import { pageTexts } from "../texts.ts";

export default pageTexts(
  {
    sold: "What was sold",
    earned: "What brought the buyers",
    buyers: "Where they were",
    entered: "How they came in",
    foreign:
      "Left out of all money here: {amounts}. No exchange rate to {currency} is known for it; whoever runs your Footfall can set one.",
    noOrders: "No orders in this range",
    noOrdersLead:
      "Choose a longer range, or tell Footfall of your orders: each needs its number, and money with its currency. Products with names, categories, brands and variants are shown once they are sent.",
    byPage: "From the page that thanks for the order",
    byServer: "From your server, which no ad blocker stops",
    afterwards: "Both may send the same order: its number counts once. An order shows here seconds after it came.",
    lastOrders: "The last orders, and what led to them",
    lastOrdersLead: "The last {n} of this range: where each visit came from, and the pages it saw until it bought.",
    showOrders: "Show them",
    hideOrders: "Hide them",
    productsNone: "no products named",
    units_one: "{n} piece",
    units_other: "{n} pieces",
    pagesMore_one: "{n} more page",
    pagesMore_other: "{n} more pages",
    boughtAfter: "bought after {time}",
  },
  {
    de: {
      sold: "Was verkauft wurde",
      earned: "Was die Käufer brachte",
      buyers: "Wo sie waren",
      entered: "Wie sie hereinkamen",
      foreign:
        "In keinem Betrag hier enthalten: {amounts}. Dafür ist kein Wechselkurs nach {currency} bekannt; wer Ihr Footfall betreibt, kann einen setzen.",
      noOrders: "Keine Bestellungen in diesem Zeitraum",
      noOrdersLead:
        "Wählen Sie einen längeren Zeitraum, oder melden Sie Footfall Ihre Bestellungen: Jede braucht ihre Nummer und Geld mit Währung. Produkte mit Namen, Kategorien, Marken und Varianten erscheinen, sobald sie gesendet werden.",
      byPage: "Von der Seite, die für die Bestellung dankt",
      byServer: "Von Ihrem Server, den kein Werbeblocker aufhält",
      afterwards:
        "Beide dürfen dieselbe Bestellung senden: Ihre Nummer zählt einmal. Eine Bestellung steht Sekunden nach ihrer Ankunft hier.",
      lastOrders: "Die letzten Bestellungen, und was zu ihnen führte",
      lastOrdersLead:
        "Die letzten {n} dieses Zeitraums: woher jeder Besuch kam, und welche Seiten er bis zum Kauf sah.",
      showOrders: "Zeigen",
      hideOrders: "Ausblenden",
      productsNone: "keine Produkte genannt",
      units_one: "{n} Stück",
      units_other: "{n} Stück",
      pagesMore_one: "{n} weitere Seite",
      pagesMore_other: "{n} weitere Seiten",
      boughtAfter: "kaufte nach {time}",
    },
    es: {
      sold: "Qué se vendió",
      earned: "Qué trajo a los compradores",
      buyers: "Dónde estaban",
      entered: "Cómo entraron",
      foreign:
        "Fuera de todo importe de aquí: {amounts}. No se conoce un cambio a {currency}; quien administra su Footfall puede fijarlo.",
      noOrders: "Sin pedidos en este período",
      noOrdersLead:
        "Elija un período más largo o comunique sus pedidos a Footfall: cada uno necesita su número y dinero con su moneda. Los productos con nombres, categorías, marcas y variantes aparecen en cuanto se envían.",
      byPage: "Desde la página que agradece el pedido",
      byServer: "Desde su servidor, que ningún bloqueador detiene",
      afterwards:
        "Ambos pueden enviar el mismo pedido: su número cuenta una vez. Un pedido aparece aquí segundos después de llegar.",
      lastOrders: "Los últimos pedidos y qué llevó a ellos",
      lastOrdersLead: "Los últimos {n} de este período: de dónde vino cada visita y qué páginas vio hasta comprar.",
      showOrders: "Mostrarlos",
      hideOrders: "Ocultarlos",
      productsNone: "sin productos indicados",
      units_one: "{n} unidad",
      units_other: "{n} unidades",
      pagesMore_one: "{n} página más",
      pagesMore_other: "{n} páginas más",
      boughtAfter: "compró tras {time}",
    },
    fr: {
      sold: "Ce qui a été vendu",
      earned: "Ce qui a amené les acheteurs",
      buyers: "Où ils étaient",
      entered: "Comment ils sont entrés",
      foreign:
        "Absent de tout montant ici : {amounts}. Aucun taux de change vers {currency} n’est connu ; qui gère votre Footfall peut en fixer un.",
      noOrders: "Aucune commande dans cette période",
      noOrdersLead:
        "Choisissez une période plus longue, ou faites connaître vos commandes à Footfall : il faut pour chacune son numéro, et l’argent avec sa devise. Les produits avec noms, catégories, marques et variantes apparaissent dès qu’ils sont envoyés.",
      byPage: "Depuis la page qui remercie pour la commande",
      byServer: "Depuis votre serveur, qu’aucun bloqueur n’arrête",
      afterwards:
        "Les deux peuvent envoyer la même commande : son numéro compte une fois. Une commande apparaît ici quelques secondes après son arrivée.",
      lastOrders: "Les dernières commandes, et ce qui y a mené",
      lastOrdersLead:
        "Les {n} dernières de cette période : d’où venait chaque visite, et les pages vues jusqu’à l’achat.",
      showOrders: "Les montrer",
      hideOrders: "Les cacher",
      productsNone: "aucun produit indiqué",
      units_one: "{n} article",
      units_other: "{n} articles",
      pagesMore_one: "{n} page de plus",
      pagesMore_other: "{n} pages de plus",
      boughtAfter: "achat après {time}",
    },
    pt: {
      sold: "O que se vendeu",
      earned: "O que trouxe os compradores",
      buyers: "Onde estavam",
      entered: "Como entraram",
      foreign:
        "Fora de todos os valores daqui: {amounts}. Não se conhece câmbio para {currency}; quem gere o seu Footfall pode defini-lo.",
      noOrders: "Sem encomendas neste período",
      noOrdersLead:
        "Escolha um período mais longo, ou comunique as suas encomendas ao Footfall: cada uma precisa do seu número e de dinheiro com a moeda. Produtos com nomes, categorias, marcas e variantes aparecem logo que são enviados.",
      byPage: "Da página que agradece a encomenda",
      byServer: "Do seu servidor, que nenhum bloqueador trava",
      afterwards:
        "Ambos podem enviar a mesma encomenda: o seu número conta uma vez. Uma encomenda aparece aqui segundos depois de chegar.",
      lastOrders: "As últimas encomendas, e o que levou a elas",
      lastOrdersLead: "As últimas {n} deste período: de onde veio cada visita, e as páginas que viu até comprar.",
      showOrders: "Mostrar",
      hideOrders: "Esconder",
      productsNone: "sem produtos indicados",
      units_one: "{n} unidade",
      units_other: "{n} unidades",
      pagesMore_one: "mais {n} página",
      pagesMore_other: "mais {n} páginas",
      boughtAfter: "comprou após {time}",
    },
    ar: {
      sold: "ما بيع",
      earned: "ما جلب المشترين",
      buyers: "أين كانوا",
      entered: "كيف دخلوا",
      foreign:
        "خارج كل المبالغ هنا: {amounts}. لا يُعرف لها سعر صرف إلى {currency}، ويمكن لمن يدير Footfall لديك أن يحدده.",
      noOrders: "لا طلبات في هذه المدة",
      noOrdersLead:
        "اختر مدة أطول، أو أخبر Footfall بطلباتك: يلزم لكل طلب رقمه ومبلغ بعملته. تظهر المنتجات بأسمائها وفئاتها وعلاماتها وأصنافها متى أُرسلت.",
      byPage: "من صفحة الشكر على الطلب",
      byServer: "من خادمك، ولا يوقفه أي حاجب إعلانات",
      afterwards: "يجوز أن يرسل كلاهما الطلب نفسه: رقمه يُعد مرة واحدة. يظهر الطلب هنا بعد ثوانٍ من وصوله.",
      lastOrders: "آخر الطلبات وما أدى إليها",
      lastOrdersLead: "آخر {n} في هذه المدة: من أين جاءت كل زيارة، والصفحات التي رأتها حتى الشراء.",
      showOrders: "اعرضها",
      hideOrders: "أخفها",
      productsNone: "لم تُذكر منتجات",
      units_one: "{n} قطعة",
      units_other: "{n} قطعة",
      pagesMore_one: "{n} صفحة أخرى",
      pagesMore_other: "{n} صفحات أخرى",
      boughtAfter: "اشترى بعد {time}",
    },
  },
);
