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
    },
  },
);
