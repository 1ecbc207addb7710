"""What files of orders say: its columns, and how shop systems name them.

A line of a file is an order, or one line of an order: then those of one order stand together, and
only the first of them need say when it was and whose it is.
"""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.importable import Column, ExportFormat

STATUS_WORDS = {
    # Shopify's financial status; EC-CUBE 4's 対応状況 (mtb_order_status); BASE's 発送状況.
    "paid": (
        *("入金済み", "支払い済み", "発送済み", "出荷済み", "完了", "対応済み", "未発送"),
        *("partially_paid", "completed", "complete", "shipped", "fulfilled"),
        *("已付款", "已完成", "已出貨", "ชำระแล้ว", "จัดส่งแล้ว"),
    ),
    "open": (
        *("新規受付", "入金待ち", "未入金", "対応中", "取り寄せ中", "決済処理中", "購入処理中"),
        *("未対応", "pending", "authorized", "processing", "unpaid"),
        *("待付款", "處理中", "รอชำระเงิน"),
    ),
    "cancelled": (
        *("注文取消し", "キャンセル", "取消", "取り消し", "voided", "canceled", "expired"),
        *("已取消", "ยกเลิก"),
    ),
    "returned": ("返品", "返金済み", "refunded", "退貨", "已退款", "คืนสินค้า"),
    "partly_returned": ("一部返品", "一部返金", "partially_refunded", "部分退款"),
}

COLUMNS = (
    Column(
        "number", _("Order number"), required=True, most=100,
        aliases=("注文番号", "注文ID", "受注番号", "受注ID", "伝票番号", "order id", "order no",
                 "order name", "訂單編號", "訂單號碼", "หมายเลขคำสั่งซื้อ", "เลขที่สั่งซื้อ"),
    ),
    Column(
        "at", _("Ordered at"), "moment", required=True,
        aliases=("注文日時", "注文日", "受注日", "受注日時", "購入日", "購入日時", "売上日",
        "order date",
                 "created at", "date", "purchased at", "訂單日期", "下單日期", "購買日期",
                 "วันที่สั่งซื้อ", "วันที่"),
    ),
    Column(
        "amount", _("Amount paid"), "money",
        aliases=("合計", "合計金額", "支払合計", "注文金額", "請求金額", "購入金額",
        "total", "order total",
                 "grand total", "總金額", "訂單金額", "總計", "ยอดรวม", "ยอดชำระ"),
        hint=_("In all, with shipping. Without it: the lines, less the discount, with shipping."),
    ),
    Column(
        "status", _("State of the order"), "choice", choices=STATUS_WORDS,
        aliases=("対応状況", "対応状況(名称)", "ステータス", "注文状況", "order status",
        "financial status",
                 "訂單狀態", "สถานะ", "สถานะคำสั่งซื้อ"),
        hint=_("Without it all are taken for paid."),
    ),
    Column("customer", _("Customer number"), most=200, aliases=(
        "会員番号", "会員ID", "顧客番号", "顧客ID", "お客様番号", "customer id", "member id",
        "會員編號", "顧客編號", "รหัสลูกค้า", "รหัสสมาชิก")),
    Column("email", _("E-mail"), "email", aliases=(
        "メールアドレス", "メール", "mail", "customer email", "電子郵件", "信箱", "อีเมล")),
    Column("phone", _("Phone"), "phone", aliases=(
        "電話番号", "電話", "TEL", "携帯電話", "phone number", "電話號碼", "手機",
        "เบอร์โทร", "โทรศัพท์")),
    Column("line_user_id", _("LINE user ID"), most=40, aliases=("LINEユーザーID", "line uid")),
    Column("name", _("Real name"), most=100, aliases=(
        "氏名", "お名前", "注文者", "注文者名", "購入者", "購入者名", "顧客名", "customer name",
        "姓名", "ชื่อ-นามสกุล", "ชื่อลูกค้า")),
    Column("family_name", _("Family name"), most=100, aliases=("姓", "氏", "last name")),
    Column("given_name", _("Given name"), most=100, aliases=("名", "first name")),
    Column("discount", _("Discount"), "money", aliases=(
        "値引き", "割引", "割引額", "クーポン値引き", "discount amount", "折扣", "ส่วนลด")),
    Column("adjustment", _("Adjustment"), "money", aliases=("調整金額",)),
    Column("shipping", _("Shipping fee"), "money", aliases=(
        "送料", "配送料", "shipping fee", "shipping cost", "運費", "ค่าจัดส่ง")),
    Column("refunded", _("Returned amount"), "money", aliases=(
        "返金額", "返金", "refunded amount", "退款金額", "ยอดคืนเงิน")),
    Column("cancelled_at", _("Cancelled at"), "moment", aliases=(
        "キャンセル日時", "キャンセル日", "canceled at", "取消日期", "วันที่ยกเลิก")),
    Column("updated_at", _("Changed at"), "moment", aliases=(
        "更新日", "更新日時", "最終更新日時", "updated at", "更新日期", "วันที่แก้ไข"),
        hint=_("Without it, a file changes no order that the shop's system has posted itself.")),
    Column("store", _("Store's code"), most=100, aliases=(
        "店舗コード", "店舗ID", "店舗番号", "store code", "store id", "門市代號", "รหัสสาขา")),
    Column("store_name", _("Store"), most=300, aliases=(
        "店舗", "店舗名", "購入店舗", "shop", "location", "門市", "สาขา")),
    Column("product", _("Product's code"), most=100, aliases=(
        "商品コード", "商品番号", "品番", "JANコード", "SKU", "product code", "item code",
        "商品編號",
        "รหัสสินค้า")),
    Column("product_id", _("Product's ID"), most=100, aliases=("商品ID", "product id")),
    Column("product_name", _("Product"), most=300, aliases=(
        "商品名", "品名", "商品", "product name", "item", "item name", "商品名稱", "สินค้า",
        "ชื่อสินค้า")),
    Column("variant", _("Variant"), most=300, aliases=(
        "バリエーション", "規格", "種類", "サイズ・色", "variation", "option", "規格名稱",
        "ตัวเลือก")),
    Column("quantity", _("Quantity"), "number", aliases=(
        "個数", "数量", "点数", "qty", "數量", "จำนวน")),
    Column("price", _("Price of one"), "money", aliases=(
        "価格", "単価", "商品単価", "unit price", "單價", "ราคา", "ราคาต่อหน่วย")),
    Column("line_amount", _("Amount of the line"), "money", aliases=(
        "小計", "明細金額", "商品小計", "line total", "subtotal", "小計金額", "ราคารวม")),
    Column("line_discount", _("Discount of the line"), "money"),
    Column("line_kind", _("Kind of line"), aliases=("明細区分", "明細区分(ID)", "明細区分(名称)")),
    Column("subscription", _("Subscription"), most=100, aliases=(
        "定期購入番号", "定期番号", "定期ID", "subscription id", "定期購編號", "รหัสการสมัครสมาชิก"),
        hint=_("The number of the subscription that the order is a delivery of.")),
    Column("currency", _("Currency"), most=3, aliases=("通貨", "通貨コード", "幣別", "สกุลเงิน")),
    Column(
        "source", _("Where it comes from"), most=40, aliases=("注文元", "販売経路", "チャネル名"),
        hint=_("A word for each system whose numbers are its own."),
    ),
)  # fmt: skip

SHOPIFY = ExportFormat(
    "shopify",
    "Shopify",
    # help.shopify.com, "Exporting orders to a CSV file", the table of columns. Each line of an
    # order repeats "Name"; all else of the order stands in its first line alone.
    ("Name", "Financial Status", "Paid at", "Fulfillment Status", "Lineitem quantity"),
    {
        "Name": "number",
        "Created at": "at",
        "Total": "amount",
        "Financial Status": "status",
        "Email": "email",
        "Phone": "phone",
        "Billing Phone": "phone",
        "Billing Name": "name",
        "Discount Amount": "discount",
        "Shipping": "shipping",
        "Refunded Amount": "refunded",
        "Cancelled at": "cancelled_at",
        "Canceled at": "cancelled_at",
        "Currency": "currency",
        "Location": "store_name",
        "Lineitem sku": "product",
        "Lineitem name": "product_name",
        "Lineitem quantity": "quantity",
        "Lineitem price": "price",
        "Lineitem discount": "line_discount",
    },
)
EC_CUBE = ExportFormat(
    "ec-cube",
    "EC-CUBE",
    # EC-CUBE 4, src/Eccube/Resource/doctrine/import_csv/ja/dtb_csv.csv, csv_type_id 3 (受注CSV).
    ("注文ID", "注文番号", "会員ID", "支払合計", "対応状況(名称)", "注文詳細ID"),
    {
        "注文番号": "number",
        "受注日": "at",
        "支払合計": "amount",
        "対応状況(名称)": "status",
        "会員ID": "customer",
        "メールアドレス": "email",
        "TEL": "phone",
        "お名前(姓)": "family_name",
        "お名前(名)": "given_name",
        "値引き": "discount",
        "送料": "shipping",
        "商品コード": "product",
        "商品ID": "product_id",
        "商品名": "product_name",
        "規格分類名1": "variant",
        "価格": "price",
        "個数": "quantity",
        "明細区分(ID)": "line_kind",
    },
)
BASE = ExportFormat(
    "base",
    "BASE",
    # The headings of BASE's 注文データ (CSV商品管理 App / 注文管理), as public programs read them.
    # "合計金額" is left out: of some shops it is the order's, of others the line's.
    ("注文ID", "注文日時", "氏(請求先)", "名(請求先)", "発送状況", "種類ID"),
    {
        "注文ID": "number",
        "注文日時": "at",
        "発送状況": "status",
        "メールアドレス(請求先)": "email",
        "電話番号(請求先)": "phone",
        "氏(請求先)": "family_name",
        "名(請求先)": "given_name",
        "送料": "shipping",
        "調整金額": "adjustment",
        "商品ID": "product_id",
        "商品名": "product_name",
        "バリエーション": "variant",
        "価格": "price",
        "数量": "quantity",
    },
)
